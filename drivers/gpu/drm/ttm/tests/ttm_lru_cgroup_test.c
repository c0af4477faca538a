// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * KUnit suite for E1, no false ENOSPC, under the limits of cgroups: eviction
 * spares what min protects, and takes what low protects only if nothing else
 * is left.
 *
 * The cgroups are real. The test thread joins one after the other and places
 * buffers of one page in TT; lru_place_in() says which cgroup a buffer is
 * charged to.
 */

#include <linux/cgroup_dmem.h>
#include <linux/delay.h>
#include <linux/err.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/module.h>
#include <linux/mount.h>
#include <linux/namei.h>

#include <drm/ttm/ttm_placement.h>

#include "lib/ttm_lru_mock_driver.h"

#define LRU_REGION	"ttm-lru"

/*
 * The test's cgroups. All are children of one cgroup, because nothing protects
 * the children of the root from each other: dmem_cgroup_state_evict_valuable()
 * returns true if the root is the closest common ancestor.
 */
enum lru_cgroup { ALL, A, B, D, D1, D2, LRU_CGROUPS, ROOT = LRU_CGROUPS };

static const struct {
	const char *path, *name;
	enum lru_cgroup parent;
	/* A cgroup with children has no threads. */
	bool has_children;
} lru_layout[] = {
	[ALL] = { "ttm-lru", "ttm-lru", ROOT, true },
	[A] = { "ttm-lru/a", "a", ALL },
	[B] = { "ttm-lru/b", "b", ALL },
	[D] = { "ttm-lru/d", "d", ALL, true },
	[D1] = { "ttm-lru/d/1", "1", D },
	[D2] = { "ttm-lru/d/2", "2", D },
};

/* Used by one case at a time. */
static struct {
	struct vfsmount *mnt;
	struct dentry *dir[LRU_CGROUPS];
	struct dmem_cgroup_region *region;
} lru_cgroups;

/* Write @text to a file of @cgroup. */
static int lru_cgroup_write(enum lru_cgroup cgroup, const char *name,
			    const char *text)
{
	char path[64];
	struct file *file;
	loff_t pos = 0;
	ssize_t ret;

	snprintf(path, sizeof(path), "%s/%s",
		 cgroup == ROOT ? "." : lru_layout[cgroup].path, name);
	file = file_open_root_mnt(lru_cgroups.mnt, path, O_WRONLY, 0);
	if (IS_ERR(file))
		return PTR_ERR(file);
	ret = kernel_write(file, text, strlen(text), &pos);
	__fput_sync(file);
	return ret < 0 ? ret : 0;
}

static struct dentry *lru_cgroup_parent(enum lru_cgroup cgroup)
{
	enum lru_cgroup parent = lru_layout[cgroup].parent;

	return parent == ROOT ? lru_cgroups.mnt->mnt_root :
				     lru_cgroups.dir[parent];
}

static int lru_cgroup_make(enum lru_cgroup cgroup)
{
	struct qstr name = QSTR(lru_layout[cgroup].name);
	struct dentry *parent = lru_cgroup_parent(cgroup), *dir;

	dir = start_creating(&nop_mnt_idmap, parent, &name);
	if (IS_ERR(dir))
		return PTR_ERR(dir);
	dir = vfs_mkdir(&nop_mnt_idmap, d_inode(parent), dir, 0755, NULL);
	end_creating(dir);
	if (IS_ERR(dir))
		return PTR_ERR(dir);
	/* vfs_mkdir() may return another dentry: look the directory up. */
	dir = lookup_one_positive_unlocked(&nop_mnt_idmap, &name, parent);
	if (IS_ERR(dir))
		return PTR_ERR(dir);
	lru_cgroups.dir[cgroup] = dir;
	return 0;
}

static void lru_cgroup_remove(enum lru_cgroup cgroup)
{
	struct dentry *parent = lru_cgroup_parent(cgroup), *dir;

	dput(lru_cgroups.dir[cgroup]);
	lru_cgroups.dir[cgroup] = NULL;
	dir = start_removing(&nop_mnt_idmap, parent,
			     &QSTR(lru_layout[cgroup].name));
	if (IS_ERR(dir))
		return;
	WARN_ON(vfs_rmdir(&nop_mnt_idmap, d_inode(parent), dir, NULL));
	end_removing(dir);
}

/* Does a reference keep a removed cgroup alive? */
static bool lru_cgroup_is_left(void)
{
	struct file *file = file_open_root_mnt(lru_cgroups.mnt, "cgroup.stat",
					       O_RDONLY, 0);
	char text[512] = "";
	loff_t pos = 0;

	if (IS_ERR(file))
		return true;
	kernel_read(file, text, sizeof(text) - 1, &pos);
	__fput_sync(file);
	return !strstr(text, "nr_dying_descendants 0\n");
}

/* A removed cgroup is freed some time later. */
static bool lru_cgroup_stays(void)
{
	for (int i = 0; i < 5000; i++) {
		if (!lru_cgroup_is_left())
			return false;
		usleep_range(1000, 2000);
	}
	return true;
}

static int lru_cgroup_init(struct kunit *test)
{
	struct file_system_type *type = get_fs_type("cgroup2");
	int ret = lru_case_init(test);

	if (ret)
		return ret;
	KUNIT_ASSERT_NOT_NULL(test, type);
	lru_cgroups.mnt = kern_mount(type);
	put_filesystem(type);
	KUNIT_ASSERT_FALSE(test, IS_ERR(lru_cgroups.mnt));
	ret = lru_cgroup_write(ROOT, "cgroup.subtree_control", "+dmem");
	KUNIT_ASSERT_EQ(test, ret, 0);
	for (int i = 0; i < LRU_CGROUPS; i++) {
		KUNIT_ASSERT_EQ(test, lru_cgroup_make(i), 0);
		if (!lru_layout[i].has_children)
			continue;
		ret = lru_cgroup_write(i, "cgroup.subtree_control", "+dmem");
		KUNIT_ASSERT_EQ(test, ret, 0);
	}
	return 0;
}

static void lru_cgroup_exit(struct kunit *test)
{
	lru_case_exit(test);
	if (lru_cgroups.region)
		dmem_cgroup_unregister_region(lru_cgroups.region);
	lru_cgroups.region = NULL;
	if (IS_ERR_OR_NULL(lru_cgroups.mnt))
		return;
	for (int i = LRU_CGROUPS - 1; i >= 0; i--)
		if (lru_cgroups.dir[i])
			lru_cgroup_remove(i);
	KUNIT_EXPECT_FALSE(test, lru_cgroup_stays());
	lru_cgroup_write(ROOT, "cgroup.subtree_control", "-dmem");
	kern_unmount(lru_cgroups.mnt);
	lru_cgroups.mnt = NULL;
}

/* A world with room for @space buffers, none of which has a place. */
static struct lru_world *lru_charged(struct kunit *test, const char *letters,
				     int space)
{
	static const struct dmem_cgroup_ops ops = {
		.reclaim = ttm_resource_manager_dmem_reclaim,
	};
	struct lru_world *w = lru_mock_world(test, TTM_PL_TT, "");
	struct dmem_cgroup_init init = { .size = SZ_1M, .ops = &ops };

	for (; *letters; letters++)
		lru_make_homeless(w, *letters);
	lru_mock.space = space * PAGE_SIZE;
	init.reclaim_priv = lru_man(w);
	lru_cgroups.region = dmem_cgroup_register_region(&init, LRU_REGION);
	KUNIT_ASSERT_FALSE(test, IS_ERR_OR_NULL(lru_cgroups.region));
	ttm_resource_manager_set_dmem_region(lru_man(w), lru_cgroups.region);
	return w;
}

/* Set a limit of a cgroup, in pages. */
static void lru_limit(struct kunit *test, enum lru_cgroup cgroup,
		      const char *limit, int pages)
{
	char file[16], text[32];

	snprintf(file, sizeof(file), "dmem.%s", limit);
	snprintf(text, sizeof(text), LRU_REGION " %lu", pages * PAGE_SIZE);
	KUNIT_ASSERT_EQ(test, lru_cgroup_write(cgroup, file, text), 0);
}

/* Place a buffer as a thread of @cgroup: in TT, or elsewhere if @or_else. */
static int lru_place_in(struct lru_world *w, enum lru_cgroup cgroup,
			char letter, bool or_else)
{
	const struct ttm_place places[] = {
		{ .mem_type = TTM_PL_TT }, { .mem_type = TTM_PL_SYSTEM },
	};
	struct ttm_placement placement = {
		.num_placement = 1 + or_else,
		.placement = places,
	};
	struct ttm_operation_ctx ctx = {};
	int ret;

	ret = lru_cgroup_write(cgroup, "cgroup.procs", "0");
	KUNIT_ASSERT_EQ(w->test, ret, 0);
	ret = lru_place_at(w, letter, &placement, &ctx, NULL);
	KUNIT_ASSERT_EQ(w->test, lru_cgroup_write(ROOT, "cgroup.procs", "0"),
			0);
	return ret;
}

#define EXPECT_PLACED(w, cgroup, letter) \
	KUNIT_EXPECT_EQ(test, lru_place_in(w, cgroup, letter, false), 0)

/* A buffer within its cgroup's min stays, and a newer one is evicted. */
static void ttm_lru_cgroup_min_stays(struct kunit *test)
{
	struct lru_world *w = lru_charged(test, "abx", 2);

	lru_limit(test, A, "min", 1);
	EXPECT_PLACED(w, A, 'a');
	EXPECT_PLACED(w, B, 'b');
	EXPECT_PLACED(w, B, 'x');
	EXPECT_SOUND(w, "a x");
}

/* If only protected buffers are left, there is no room. */
static void ttm_lru_cgroup_min_refuses(struct kunit *test)
{
	struct lru_world *w = lru_charged(test, "ax", 1);

	lru_limit(test, A, "min", 1);
	EXPECT_PLACED(w, A, 'a');
	KUNIT_EXPECT_EQ(test, lru_place_in(w, B, 'x', false), -ENOSPC);
	EXPECT_SOUND(w, "a");
}

/* Buffers beyond min are evicted. */
static void ttm_lru_cgroup_beyond_min(struct kunit *test)
{
	struct lru_world *w = lru_charged(test, "abx", 2);

	lru_limit(test, A, "min", 1);
	EXPECT_PLACED(w, A, 'a');
	EXPECT_PLACED(w, A, 'b');
	EXPECT_PLACED(w, B, 'x');
	EXPECT_SOUND(w, "b x");
}

/* Buffers within low are evicted last. */
static void ttm_lru_cgroup_low_is_last(struct kunit *test)
{
	struct lru_world *w = lru_charged(test, "abx", 2);

	lru_limit(test, A, "low", 1);
	EXPECT_PLACED(w, A, 'a');
	EXPECT_PLACED(w, B, 'b');
	EXPECT_PLACED(w, B, 'x');
	EXPECT_SOUND(w, "a x");
}

/* Buffers within low are evicted if nothing else is left. */
static void ttm_lru_cgroup_low_goes(struct kunit *test)
{
	struct lru_world *w = lru_charged(test, "ax", 1);

	lru_limit(test, A, "low", 1);
	EXPECT_PLACED(w, A, 'a');
	EXPECT_PLACED(w, B, 'x');
	EXPECT_SOUND(w, "x");
}

/* Of buffers within low, only as many are evicted as needed. */
static void ttm_lru_cgroup_low_goes_once(struct kunit *test)
{
	struct lru_world *w = lru_charged(test, "abcx", 3);

	lru_limit(test, A, "low", 3);
	EXPECT_PLACED(w, A, 'a');
	EXPECT_PLACED(w, A, 'b');
	EXPECT_PLACED(w, A, 'c');
	EXPECT_PLACED(w, B, 'x');
	EXPECT_SOUND(w, "b c x");
}

/* Neither min nor low protects a cgroup's buffers from the cgroup itself. */
static void ttm_lru_cgroup_own_goes(struct kunit *test)
{
	struct lru_world *w = lru_charged(test, "ax", 1);

	lru_limit(test, A, "min", 1);
	EXPECT_PLACED(w, A, 'a');
	EXPECT_PLACED(w, A, 'x');
	EXPECT_SOUND(w, "x");
}

/* Without protection, the caller takes its second place rather than evict. */
static void ttm_lru_cgroup_unprotected_goes_elsewhere(struct kunit *test)
{
	struct lru_world *w = lru_charged(test, "bx", 1);

	EXPECT_PLACED(w, B, 'b');
	KUNIT_EXPECT_EQ(test, lru_place_in(w, A, 'x', true), 0);
	EXPECT_SOUND(w, "b");
}

/*
 * A cgroup whose low protects it against the root evicts for its first place.
 */
static void ttm_lru_cgroup_protected_takes(struct kunit *test)
{
	struct lru_world *w = lru_charged(test, "bx", 1);

	lru_limit(test, ALL, "low", 1);
	lru_limit(test, A, "low", 1);
	EXPECT_PLACED(w, B, 'b');
	KUNIT_EXPECT_EQ(test, lru_place_in(w, A, 'x', true), 0);
	EXPECT_SOUND(w, "x");
}

/* So does one that min protects. */
static void ttm_lru_cgroup_min_takes(struct kunit *test)
{
	struct lru_world *w = lru_charged(test, "bx", 1);

	lru_limit(test, ALL, "min", 1);
	lru_limit(test, A, "min", 1);
	EXPECT_PLACED(w, B, 'b');
	KUNIT_EXPECT_EQ(test, lru_place_in(w, A, 'x', true), 0);
	EXPECT_SOUND(w, "x");
}

/* A protected cgroup does not evict buffers that low protects as well. */
static void ttm_lru_cgroup_protected_spares_protected(struct kunit *test)
{
	struct lru_world *w = lru_charged(test, "bx", 1);

	lru_limit(test, ALL, "low", 2);
	lru_limit(test, A, "low", 1);
	lru_limit(test, B, "low", 1);
	EXPECT_PLACED(w, B, 'b');
	KUNIT_EXPECT_EQ(test, lru_place_in(w, A, 'x', true), 0);
	EXPECT_SOUND(w, "b");
}

/* A cgroup that min protects evicts buffers that only low protects. */
static void ttm_lru_cgroup_min_beats_low(struct kunit *test)
{
	struct lru_world *w = lru_charged(test, "bx", 1);

	lru_limit(test, ALL, "min", 1);
	lru_limit(test, ALL, "low", 2);
	lru_limit(test, A, "min", 1);
	lru_limit(test, B, "low", 1);
	EXPECT_PLACED(w, B, 'b');
	KUNIT_EXPECT_EQ(test, lru_place_in(w, A, 'x', true), 0);
	EXPECT_SOUND(w, "x");
}

/*
 * A protected cgroup does not evict its own buffers: nothing would be gained.
 */
static void ttm_lru_cgroup_protected_spares_own(struct kunit *test)
{
	struct lru_world *w = lru_charged(test, "ax", 1);

	lru_limit(test, ALL, "low", 2);
	lru_limit(test, A, "low", 2);
	EXPECT_PLACED(w, A, 'a');
	KUNIT_EXPECT_EQ(test, lru_place_in(w, A, 'x', true), 0);
	EXPECT_SOUND(w, "a");
}

/* At its max, a cgroup evicts its own buffers, though others are older. */
static void ttm_lru_cgroup_max_takes_own(struct kunit *test)
{
	struct lru_world *w = lru_charged(test, "abx", 3);

	lru_limit(test, A, "max", 1);
	EXPECT_PLACED(w, B, 'b');
	EXPECT_PLACED(w, A, 'a');
	EXPECT_PLACED(w, A, 'x');
	EXPECT_SOUND(w, "b x");
}

/* At its parent's max, a cgroup evicts buffers of the parent's children. */
static void ttm_lru_cgroup_max_of_parent(struct kunit *test)
{
	struct lru_world *w = lru_charged(test, "abx", 3);

	lru_limit(test, D, "max", 1);
	EXPECT_PLACED(w, B, 'b');
	EXPECT_PLACED(w, D1, 'a');
	EXPECT_PLACED(w, D2, 'x');
	EXPECT_SOUND(w, "b x");
}

/* At its parent's max, it spares buffers that another child's min protects. */
static void ttm_lru_cgroup_max_of_parent_and_min(struct kunit *test)
{
	struct lru_world *w = lru_charged(test, "ax", 3);

	lru_limit(test, D, "min", 1);
	lru_limit(test, D1, "min", 1);
	lru_limit(test, D, "max", 1);
	EXPECT_PLACED(w, D1, 'a');
	KUNIT_EXPECT_EQ(test, lru_place_in(w, D2, 'x', false), -ENOSPC);
	EXPECT_SOUND(w, "a");
}

/* The low of D1 protects it from its sibling D2, whatever D has. */
static void ttm_lru_cgroup_low_against_sibling(struct kunit *test)
{
	struct lru_world *w = lru_charged(test, "abx", 2);

	lru_limit(test, D1, "low", 1);
	EXPECT_PLACED(w, D1, 'a');
	EXPECT_PLACED(w, B, 'b');
	EXPECT_PLACED(w, D2, 'x');
	EXPECT_SOUND(w, "a x");
}

/* The low of D1 does not protect it from other cgroups, as D has no low. */
static void ttm_lru_cgroup_low_against_others(struct kunit *test)
{
	struct lru_world *w = lru_charged(test, "abx", 2);

	lru_limit(test, D1, "low", 1);
	EXPECT_PLACED(w, D1, 'a');
	EXPECT_PLACED(w, B, 'b');
	EXPECT_PLACED(w, A, 'x');
	EXPECT_SOUND(w, "b x");
}

/* When max is lowered, the oldest buffers beyond it are evicted. */
static void ttm_lru_cgroup_max_is_lowered(struct kunit *test)
{
	struct lru_world *w = lru_charged(test, "abc", 3);

	EXPECT_PLACED(w, B, 'b');
	EXPECT_PLACED(w, A, 'a');
	EXPECT_PLACED(w, A, 'c');
	lru_limit(test, A, "max", 1);
	EXPECT_SOUND(w, "b c");
}

/*
 * When max is lowered, buffers of children within their low are evicted last.
 */
static void ttm_lru_cgroup_max_is_lowered_beside_low(struct kunit *test)
{
	struct lru_world *w = lru_charged(test, "ac", 3);

	lru_limit(test, D, "low", 1);
	lru_limit(test, D1, "low", 1);
	EXPECT_PLACED(w, D1, 'a');
	EXPECT_PLACED(w, D2, 'c');
	lru_limit(test, D, "max", 1);
	EXPECT_SOUND(w, "a");
}

/*
 * When max is lowered, only as many buffers within low are evicted as needed.
 */
static void ttm_lru_cgroup_max_is_lowered_into_low(struct kunit *test)
{
	struct lru_world *w = lru_charged(test, "abc", 3);

	lru_limit(test, D, "low", 2);
	lru_limit(test, D1, "low", 2);
	EXPECT_PLACED(w, D1, 'a');
	EXPECT_PLACED(w, D1, 'b');
	EXPECT_PLACED(w, D2, 'c');
	lru_limit(test, D, "max", 1);
	EXPECT_SOUND(w, "b");
}

/* When max becomes 0, all buffers are evicted. */
static void ttm_lru_cgroup_max_is_lowered_below_low(struct kunit *test)
{
	struct lru_world *w = lru_charged(test, "ac", 3);

	lru_limit(test, D, "low", 1);
	lru_limit(test, D1, "low", 1);
	EXPECT_PLACED(w, D1, 'a');
	EXPECT_PLACED(w, D2, 'c');
	lru_limit(test, D, "max", 0);
	EXPECT_SOUND(w, "");
}

/* An error ends the search before it evicts buffers that low protects. */
static void ttm_lru_cgroup_error_spares_low(struct kunit *test)
{
	struct lru_world *w = lru_charged(test, "abx", 2);

	lru_limit(test, A, "low", 1);
	EXPECT_PLACED(w, A, 'a');
	EXPECT_PLACED(w, B, 'b');
	lru_mock.fail = "b";
	lru_mock.error = -EIO;
	KUNIT_EXPECT_EQ(test, lru_place_in(w, B, 'x', false), -EIO);
	EXPECT_SOUND(w, "a b");
}

/*
 * Each look walks twice, as low protects a and c. Another thread holds b each
 * time the first walk begins. Such a look is not complete, though the second
 * walk sees b.
 */
static unsigned int lru_times_asked;

static void lru_hold_b_at_first(struct lru_world *w, char letter)
{
	struct dma_resv *b = lru_bo(w, 'b')->base.resv;

	if (letter == 'a' && ++lru_times_asked == 3)
		lru_mock.worthless = "ac";
	if (letter == 'a')
		dma_resv_unlock(b);
	else if (letter == 'c')
		WARN_ON(!dma_resv_trylock(b));
}

static void ttm_lru_cgroup_first_walk_leaves_out(struct kunit *test)
{
	struct lru_world *w = lru_charged(test, "abcx", 3);
	int ret;

	lru_limit(test, A, "low", 2);
	EXPECT_PLACED(w, A, 'a');
	EXPECT_PLACED(w, B, 'b');
	EXPECT_PLACED(w, A, 'c');
	lru_times_asked = 0;
	lru_mock.worthless = "abc";
	lru_mock.at = lru_hold_b_at_first;
	KUNIT_ASSERT_TRUE(test, dma_resv_trylock(lru_bo(w, 'b')->base.resv));
	ret = lru_place_in(w, B, 'x', false);
	if (ret)
		dma_resv_unlock(lru_bo(w, 'b')->base.resv);
	KUNIT_EXPECT_EQ(test, ret, 0);
	EXPECT_LETTERS(lru_mock.asked, "abcabcab");
	EXPECT_SOUND(w, "a c x");
}

/*
 * Without force_space, a protected cgroup looks only once at other cgroups'
 * buffers, even while the last reference to d is being dropped.
 */
static void lru_undrop_d(struct lru_world *w, char letter)
{
	if (letter == 'b' && ++lru_times_asked == 2)
		lru_undrop_last(w, 'd');
}

static void ttm_lru_cgroup_protected_looks_once(struct kunit *test)
{
	struct lru_world *w = lru_charged(test, "bdx", 2);

	lru_limit(test, ALL, "low", 1);
	lru_limit(test, A, "low", 1);
	EXPECT_PLACED(w, B, 'b');
	EXPECT_PLACED(w, B, 'd');
	lru_times_asked = 0;
	lru_mock.worthless = "bd";
	lru_mock.at = lru_undrop_d;
	lru_drop_last(w, 'd');
	KUNIT_EXPECT_EQ(test, lru_place_in(w, A, 'x', false), -ENOSPC);
	EXPECT_LETTERS(lru_mock.asked, "bbdbd");
	EXPECT_SOUND(w, "b d");
}

static struct kunit_case ttm_lru_cgroup_cases[] = {
	KUNIT_CASE(ttm_lru_cgroup_min_stays),
	KUNIT_CASE(ttm_lru_cgroup_min_refuses),
	KUNIT_CASE(ttm_lru_cgroup_beyond_min),
	KUNIT_CASE(ttm_lru_cgroup_low_is_last),
	KUNIT_CASE(ttm_lru_cgroup_low_goes),
	KUNIT_CASE(ttm_lru_cgroup_low_goes_once),
	KUNIT_CASE(ttm_lru_cgroup_own_goes),
	KUNIT_CASE(ttm_lru_cgroup_unprotected_goes_elsewhere),
	KUNIT_CASE(ttm_lru_cgroup_protected_takes),
	KUNIT_CASE(ttm_lru_cgroup_min_takes),
	KUNIT_CASE(ttm_lru_cgroup_protected_spares_protected),
	KUNIT_CASE(ttm_lru_cgroup_min_beats_low),
	KUNIT_CASE(ttm_lru_cgroup_protected_spares_own),
	KUNIT_CASE(ttm_lru_cgroup_max_takes_own),
	KUNIT_CASE(ttm_lru_cgroup_max_of_parent),
	KUNIT_CASE(ttm_lru_cgroup_max_of_parent_and_min),
	KUNIT_CASE(ttm_lru_cgroup_low_against_sibling),
	KUNIT_CASE(ttm_lru_cgroup_low_against_others),
	KUNIT_CASE(ttm_lru_cgroup_max_is_lowered),
	KUNIT_CASE(ttm_lru_cgroup_max_is_lowered_beside_low),
	KUNIT_CASE(ttm_lru_cgroup_max_is_lowered_into_low),
	KUNIT_CASE(ttm_lru_cgroup_max_is_lowered_below_low),
	KUNIT_CASE(ttm_lru_cgroup_error_spares_low),
	KUNIT_CASE(ttm_lru_cgroup_first_walk_leaves_out),
	KUNIT_CASE(ttm_lru_cgroup_protected_looks_once),
	{}
};

static struct kunit_suite ttm_lru_cgroup_suite = {
	.name = "ttm_lru_cgroup",
	.init = lru_cgroup_init,
	.exit = lru_cgroup_exit,
	.test_cases = ttm_lru_cgroup_cases,
};

kunit_test_suites(&ttm_lru_cgroup_suite);

MODULE_DESCRIPTION("KUnit tests for making room within the limits of cgroups");
MODULE_LICENSE("Dual MIT/GPL");
