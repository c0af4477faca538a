/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/* All cases of vttm-test. */
#ifndef TEST_CASES_H
#define TEST_CASES_H

/* test-args.c */
void args_right(void);
void args_bad_pointer(void);
void args_unknown_ioctl(void);
void args_unknown_bits(void);
void args_unknown_handle(void);
void args_sizes(void);
void params(void);
void params_count(void);
void vms(void);
void vms_many(void);
void vms_of_others(void);

/* test-buffers.c */
void create_bad(void);
void create_too_large(void);
void create_says(void);
void create_zeroed(void);
void create_in_domains(void);
void map_bounds(void);
void map_partly(void);
void move_first_choice(void);
void move_bad(void);
void move_round_trip(void);
void move_round_trip_unseen(void);
void move_round_trip_gpu(void);
void move_round_trip_vm(void);
void move_swap_prefetch(void);
void move_swap_submit(void);
void move_swap_touch(void);
void move_evict_counts(void);
void move_overcommit(void);
void move_under_map(void);
void move_under_writer(void);
void madvise_kept(void);
void madvise_purged(void);

/* test-submit.c */
void submit_bad_bos(void);
void submit_foreign(void);
void submit_bad_ops(void);
void submit_fill(void);
void submit_in_order(void);
void submit_implicit_order(void);
void submit_many(void);
void submit_too_much(void);
void submit_scattered_loose(void);
void submit_scattered_vm(void);

/* test-fences.c */
void fence_bad(void);
void fence_out(void);
void fence_of_closed(void);
void fence_of_others(void);
void fence_room_of_others(void);
void fence_late_in_order(void);
void fence_of_vm(void);
void wait_times_out(void);
void wait_for_writes(void);
void wait_is_killed(void);
void busy_stays(void);

/* test-lru.c */
void lru_bad(void);
void lru_capacity(void);
void lru_entries(void);
void lru_priorities(void);
void lru_submit_to_tail(void);
void lru_bulk_to_tail(void);
void lru_chunks_agree(void);
void lru_evicts_in_order(void);
void move_leaves_little(void);
void move_hot(void);
void move_both_hot(void);
void move_beside_busy(void);

/* test-sharing.c */
void prime_bad(void);
void prime_self(void);
void prime_between(void);
void prime_stays(void);
void prime_outlives(void);
void prime_udmabuf(void);
void prime_heap(void);
void prime_from_vgem(void);
void prime_to_vgem(void);
void fdinfo_adds_up(void);
void debugfs_shows(void);

/* test-unplug.c */
void rmmod_refused(void);
void unplug_with_files_open(void);
void unplug_exporter(void);
void unplug_while_busy(void);

#endif
