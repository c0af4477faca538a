// SPDX-License-Identifier: GPL-2.0 OR MIT

//! Tasks that must end before an engine goes.

use kernel::{
    prelude::*,
    sync::{
        Arc,
        Completion, //
    }, //
};

/// All tasks that aren't done. Dropping this waits for them.
pub(crate) struct Tasks {
    token: Option<Arc<Token>>,
    done: Arc<Done>,
}

#[pin_data]
struct Done {
    #[pin]
    completion: Completion,
}

/// Each task has a reference, and so has [`Tasks`], which makes them.
pub(crate) struct Token(Arc<Done>);

impl Tasks {
    pub(crate) fn new() -> Result<Self> {
        let done = Arc::pin_init(
            pin_init!(Done { completion <- Completion::new() }),
            GFP_KERNEL,
        )?;
        let token = Arc::new(Token(done.clone()), GFP_KERNEL)?;

        Ok(Self {
            token: Some(token),
            done,
        })
    }

    pub(crate) fn token(&self) -> Option<Arc<Token>> {
        self.token.clone()
    }
}

impl Drop for Tasks {
    fn drop(&mut self) {
        self.token = None;
        self.done.completion.wait_for_completion();
    }
}

impl Drop for Token {
    fn drop(&mut self) {
        self.0.completion.complete_all();
    }
}
