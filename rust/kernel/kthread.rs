// SPDX-License-Identifier: GPL-2.0 OR MIT

//! Kernel threads for tests: they end before the thread that has started them continues.
//!
//! This isn't an interface for drivers. It is built with KUnit, and for the sample that shows how
//! walks fare while other threads change the lists.
//!
//! C header: [`include/linux/kthread.h`](srctree/include/linux/kthread.h)

use crate::{
    bindings,
    error::from_err_ptr,
    new_mutex,
    prelude::*,
    sync::{
        Arc,
        Completion,
        Mutex, //
    },
};
use core::{
    ffi::{
        c_int,
        c_void, //
    },
    marker::PhantomData,
};

/// Calls `f` with a scope in which threads can be started, and waits for all of them.
///
/// The threads have ended when this returns, so they may borrow values that outlive the call.
///
/// # Errors
///
/// [`ENOMEM`], or errors of `f`.
///
/// # Examples
///
/// ```
/// use kernel::{
///     kthread,
///     sync::atomic::{Atomic, Relaxed}, //
/// };
///
/// let sum = Atomic::new(0);
/// kthread::scope(|scope| {
///     for n in 1..=3 {
///         let sum = &sum;
///         scope.spawn(c"adder", move || {
///             sum.fetch_add(n, Relaxed);
///         })?;
///     }
///     Ok(())
/// })?;
/// assert_eq!(sum.load(Relaxed), 6);
/// # Ok::<(), Error>(())
/// ```
pub fn scope<'env, R>(
    f: impl for<'scope> FnOnce(&'scope Scope<'scope, 'env>) -> Result<R>,
) -> Result<R> {
    let threads = no_threads()?;
    // INVARIANT: The threads are waited for below. Values that live for `'scope` exist before
    // `scope` itself.
    let scope = Scope {
        threads: &threads,
        _scope: PhantomData,
        _env: PhantomData,
    };

    let ret = f(&scope);
    // Threads may start others before they end.
    loop {
        let thread = threads.lock().pop();
        match thread {
            // This waits for it.
            Some(thread) => drop(thread),
            None => return ret,
        }
    }
}

/// Not part of [`scope`], of which each crate that calls it has a copy: lockdep compares the names
/// of lock classes by their address.
fn no_threads() -> Result<Pin<KBox<Mutex<KVec<Thread>>>>> {
    KBox::pin_init(new_mutex!(KVec::new()), GFP_KERNEL)
}

/// A scope in which threads can be started. See [`scope`].
///
/// # Invariants
///
/// [`scope`] doesn't return before all of `threads`, and those that are added to it, have ended.
/// All that lives for `'scope` is there until then.
pub struct Scope<'scope, 'env: 'scope> {
    threads: &'scope Mutex<KVec<Thread>>,
    // Both lifetimes have to be just these.
    _scope: PhantomData<&'scope mut &'scope ()>,
    _env: PhantomData<&'env mut &'env ()>,
}

impl<'scope> Scope<'scope, '_> {
    /// Starts a thread that calls `f`.
    ///
    /// # Errors
    ///
    /// [`ENOMEM`], or [`EINTR`] if the current task was killed meanwhile.
    pub fn spawn<F>(&'scope self, name: &CStr, f: F) -> Result
    where
        F: FnOnce() + Send + 'scope,
    {
        let mut threads = self.threads.lock();
        threads.reserve(1, GFP_KERNEL)?;

        let done = Arc::pin_init(Completion::new(), GFP_KERNEL)?;
        let start = KBox::new(
            Start {
                f,
                done: done.clone(),
            },
            GFP_KERNEL,
        )?;
        let start = KBox::into_raw(start);

        // SAFETY: `run` gets the box that it expects, and owns it; `F` is `Send`. The borrows of
        // `f` outlive the thread: by the type invariants, `scope` doesn't return before it has
        // ended. The name is a string, and copied.
        let task = from_err_ptr(unsafe {
            bindings::kthread_create_on_node(
                Some(run::<F>),
                start.cast(),
                bindings::NUMA_NO_NODE,
                c"%s".as_char_ptr(),
                name.as_char_ptr(),
            )
        })
        .inspect_err(|_| {
            // SAFETY: It came out of a box. There is no thread, so it is still ours.
            drop(unsafe { KBox::from_raw(start) });
        })?;

        // SAFETY: The thread isn't running yet, so the task is valid. Dropping `Thread` drops the
        // reference.
        unsafe {
            bindings::get_task_struct(task);
            bindings::wake_up_process(task);
        }
        // INVARIANT: The reference was just taken, and the thread was started.
        let _ = threads.push_within_capacity(Thread { task, done });
        Ok(())
    }
}

/// The work of a thread.
struct Start<F> {
    f: F,
    done: Arc<Completion>,
}

/// # Safety
///
/// `start` must come out of a [`KBox<Start<F>>`], and belong to this thread.
unsafe extern "C" fn run<F: FnOnce()>(start: *mut c_void) -> c_int {
    // SAFETY: `data` comes out of a box that this thread owns, by the function's requirements.
    let start = unsafe { KBox::from_raw(start.cast::<Start<F>>()) };
    let Start { f, done } = KBox::into_inner(start);

    f();
    done.complete_all();
    0
}

/// A thread that was started. Dropping this waits for it.
///
/// # Invariants
///
/// A reference to `task` belongs to this. The thread completes `done`, and ends.
struct Thread {
    task: *mut bindings::task_struct,
    done: Arc<Completion>,
}

// SAFETY: A thread can be waited for from any other, and a reference to a task be dropped there.
unsafe impl Send for Thread {}

impl Drop for Thread {
    fn drop(&mut self) {
        // A thread that is stopped before it has begun never does.
        self.done.wait_for_completion();
        // This waits until it has left our code for good.
        // SAFETY: By the type invariants a reference to `task` belongs to this, and is given back
        // here. The thread has completed `done`, and ends.
        unsafe { bindings::kthread_stop_put(self.task) };
    }
}
