// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * vttm-test [CASE...]: check that vttm does what its header says: good and bad arguments
 * of each ioctl; the content of a buffer wherever it is; order and completeness of the
 * LRU lists; fences; sharing; statistics; and, at the end, a device that goes away.
 *
 * Run it as root, with two GPUs (devices=2), and the modules vgem and sw_sync.
 */
#include <stdio.h>
#include <unistd.h>

#include "test.h"
#include "test-cases.h"

static const struct ktap_case cases[] = {
#define CASE(name) { #name, name }
	CASE(args_right),
	CASE(args_bad_pointer),
	CASE(args_unknown_ioctl),
	CASE(args_unknown_bits),
	CASE(args_unknown_handle),
	CASE(args_sizes),
	CASE(params),
	CASE(params_count),
	CASE(vms),
	CASE(vms_many),
	CASE(vms_of_others),
	CASE(create_bad),
	CASE(create_too_large),
	CASE(create_says),
	CASE(create_zeroed),
	CASE(create_in_domains),
	CASE(map_bounds),
	CASE(map_partly),
	CASE(move_first_choice),
	CASE(move_bad),
	CASE(move_round_trip),
	CASE(move_round_trip_unseen),
	CASE(move_round_trip_gpu),
	CASE(move_round_trip_vm),
	CASE(move_swap_prefetch),
	CASE(move_swap_submit),
	CASE(move_swap_touch),
	CASE(move_evict_counts),
	CASE(move_overcommit),
	CASE(move_under_map),
	CASE(move_under_writer),
	CASE(move_leaves_little),
	CASE(move_hot),
	CASE(move_both_hot),
	CASE(move_beside_busy),
	CASE(madvise_kept),
	CASE(madvise_purged),
	CASE(submit_bad_bos),
	CASE(submit_foreign),
	CASE(submit_bad_ops),
	CASE(submit_fill),
	CASE(submit_in_order),
	CASE(submit_implicit_order),
	CASE(submit_many),
	CASE(submit_too_much),
	CASE(submit_scattered_loose),
	CASE(submit_scattered_vm),
	CASE(fence_bad),
	CASE(fence_out),
	CASE(fence_of_closed),
	CASE(fence_of_others),
	CASE(fence_room_of_others),
	CASE(fence_late_in_order),
	CASE(fence_of_vm),
	CASE(wait_times_out),
	CASE(wait_for_writes),
	CASE(wait_is_killed),
	CASE(busy_stays),
	CASE(lru_bad),
	CASE(lru_capacity),
	CASE(lru_entries),
	CASE(lru_priorities),
	CASE(lru_submit_to_tail),
	CASE(lru_bulk_to_tail),
	CASE(lru_chunks_agree),
	CASE(lru_evicts_in_order),
	CASE(prime_bad),
	CASE(prime_self),
	CASE(prime_between),
	CASE(prime_stays),
	CASE(prime_outlives),
	CASE(prime_udmabuf),
	CASE(prime_heap),
	CASE(prime_from_vgem),
	CASE(prime_to_vgem),
	CASE(fdinfo_adds_up),
	CASE(debugfs_shows),
	CASE(rmmod_refused),
	CASE(unplug_with_files_open),
	CASE(unplug_exporter),
	CASE(unplug_while_busy),
};

/* Check that the case left nothing behind. */
static const char *after(void)
{
	const char *wrong = NULL;
	int fd = drm_open("vttm", 0);

	if (fd < 0)
		return "the GPU is gone";
	if (vttm_drained(fd))
		wrong = "buffers are left";
	else if (vttm_get(fd, VTTM_PARAM_VRAM_USED) || vttm_get(fd, VTTM_PARAM_GTT_USED))
		wrong = "memory is left";
	close(fd);
	return wrong;
}

static bool has_two_gpus(void)
{
	int first = drm_open("vttm", 0), second = drm_open("vttm", 1);

	close(first);
	close(second);
	return first >= 0 && second >= 0;
}

int main(int argc, char **argv)
{
	setvbuf(stdout, NULL, _IOLBF, 0);
	if (!has_two_gpus()) {
		puts("Bail out! vttm-test needs two GPUs: VTTM='devices=2 vram_mb=16 gtt_mb=16'");
		return 1;
	}
	return ktap_run(cases, ARRAY_SIZE(cases), argv + 1, open_gpus, after) != 0;
}
