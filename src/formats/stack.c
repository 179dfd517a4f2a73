/* SPDX-License-Identifier: Apache-2.0
 *
 * stack.c -- numbered images as one array: a pattern, a glob or a folder; new first axis "z".
 *
 * Opening lists the folder and opens one file. Every other file is opened when it is reached and
 * must have the first one's shape and dtype. Gaps and duplicate numbers are seen in the list:
 * duplicates are an error; a gap is an error unless missing= says otherwise: "fill" (zeros, of a
 * pattern) or "skip" (a note, of a glob or folder). Numbers in equal steps have no gaps.
 *
 * Opened files are kept in a few slots. Lock: `lock` (rank SOURCE) guards the slots only; opening
 * and reading happen outside. A slot in use (users > 0) is never closed.
 */
#include "base/json.h"
#include "base/mem.h"
#include "base/thread.h"
#include "formats/raw_io.h"
#include "formats/stack_names.h"

#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

extern const crn_format crn_format_stack;

enum { OPT_START, OPT_STOP, OPT_STEP, OPT_MISSING, N_SLOTS = 16 };
static const char *const missing_choices[] = {"error", "fill", "skip", NULL};
static const crn_param read_params[] = {
	{"start", CRN_P_INT, "None",
		"first slice: number in the file name (pattern) or position (glob, folder)", NULL},
	{"stop", CRN_P_INT, "None", "end, not included; counted as start", NULL},
	{"step", CRN_P_INT, "1", "take every step-th slice, >= 1", NULL},
	{"missing", CRN_P_STR, "'error'",
		"a missing number: an error, a slice of zeros (fill, of a pattern), or passed over "
		"(skip, "
		"of a glob or folder)",
		missing_choices},
	{NULL, CRN_P_END, NULL, NULL, NULL},
};

typedef struct slot {
	int64_t slice;
	crn_source *source;
	int users;
	uint64_t used_at;
} slot;

typedef struct stack_source {
	crn_source base;
	const crn_registry *registry;
	crn_stack_pattern pattern;
	crn_stack_list list;
	int64_t *file_of; /* slice -> index in list, -1: missing, filled */
	int64_t n_slices;
	crn_type element;
	int64_t element_unit[CRN_MAX_NDIM];
	char *first_name;
	crn_str notes;
	crn_mutex lock;
	slot slots[N_SLOTS]; /* lock */
	uint64_t clock;      /* lock */
	bool lock_made;
} stack_source;

static void path_of(const stack_source *s, int64_t file, crn_str *out)
{
	crn_str_appendf(out, "%s/%s", s->pattern.dir, crn_stack_file_name(&s->list, file));
}

/* ---- one slice ---- */

static cairn_status open_element(
	const stack_source *s, int64_t file, crn_source **ret, cairn_error *err)
{
	CRN_STR path = {0};
	path_of(s, file, &path);
	if (path.oom)
		return crn_fail_memory(err, "a file name", 256);
	return crn_source_open(s->registry, path.data, NULL, NULL, 0, ret, err);
}

static bool same_shape(const crn_type *a, const crn_type *b)
{
	if (a->dtype != b->dtype || a->ndim != b->ndim)
		return false;
	for (int d = 0; d < a->ndim; d++)
		if (a->shape[d] != b->shape[d])
			return false;
	return true;
}

static cairn_status check_element(
	const stack_source *s, const crn_source *e, int64_t slice, cairn_error *err)
{
	char a[256], b[256];
	if (!same_shape(&e->type, &s->element)) {
		crn_fail(err, CAIRN_INPUT, "%s is %s, the first slice %s is %s", e->url,
			crn_type_format(&e->type, a), s->first_name,
			crn_type_format(&s->element, b));
		crn_hint(err,
			"slices must be alike; leave it out with start=, stop=, or convert it");
		return CAIRN_INPUT;
	}
	for (int d = 0; d < e->type.ndim; d++) {
		if (e->unit[d] == s->element_unit[d] && e->unit_scratch <= s->base.unit_scratch &&
			(e->ops->read_box || !s->base.ops->read_box))
			continue;
		crn_fail(err, CAIRN_INPUT,
			"%s is stored in other strips, tiles or compression than %s", e->url,
			s->first_name);
		crn_hint(err, "slices must be stored alike; rewrite slice %lld", (long long)slice);
		return CAIRN_INPUT;
	}
	return CAIRN_OK;
}

static slot *find_slot(stack_source *s, int64_t slice)
{
	for (int i = 0; i < N_SLOTS; i++)
		if (s->slots[i].source && s->slots[i].slice == slice)
			return &s->slots[i];
	return NULL;
}

/* Borrows the opened file of a slice; *ret_slot NULL: the caller owns it (all slots were busy). */
static cairn_status borrow(
	stack_source *s, int64_t slice, crn_source **ret, slot **ret_slot, cairn_error *err)
{
	crn_mutex_lock(&s->lock);
	slot *found = find_slot(s, slice);
	if (found) {
		found->users++;
		found->used_at = ++s->clock;
		*ret = found->source;
		*ret_slot = found;
	}
	crn_mutex_unlock(&s->lock);
	if (found)
		return CAIRN_OK;
	crn_source *opened = NULL, *old = NULL;
	CRN_TRY(open_element(s, s->file_of[slice], &opened, err));
	cairn_status status = check_element(s, opened, slice, err);
	if (status != CAIRN_OK) {
		crn_source_close(opened);
		return status;
	}
	crn_mutex_lock(&s->lock);
	slot *best = NULL; /* unused for longest */
	for (int i = 0; i < N_SLOTS; i++)
		if (s->slots[i].users == 0 && (!best || s->slots[i].used_at < best->used_at))
			best = &s->slots[i];
	if (best) {
		old = best->source;
		*best = (slot){slice, opened, 1, ++s->clock};
	}
	crn_mutex_unlock(&s->lock);
	crn_source_close(old);
	*ret = opened;
	*ret_slot = best;
	return CAIRN_OK;
}

static void give_back(stack_source *s, crn_source *e, slot *from)
{
	if (!from) {
		crn_source_close(e);
		return;
	}
	crn_mutex_lock(&s->lock);
	from->users--;
	crn_mutex_unlock(&s->lock);
}

/* Out at slice position i of axis 0, without that axis. */
static crn_view slice_view(const crn_view *out, int64_t i)
{
	crn_view v = {.data = (char *)out->data + i * out->stride[0],
		.dtype = out->dtype,
		.ndim = out->ndim - 1};
	for (int d = 0; d < v.ndim; d++) {
		v.shape[d] = out->shape[d + 1];
		v.stride[d] = out->stride[d + 1];
	}
	return v;
}

/* ---- source ops ---- */

static cairn_status read_unit(
	crn_source *base, const int64_t *idx, const crn_view *out, void *scratch, cairn_error *err)
{
	stack_source *s = (stack_source *)base;
	crn_view v = slice_view(out, 0);
	if (s->file_of[idx[0]] < 0) {
		crn_view_fill(&v, (crn_elem){{0}});
		return CAIRN_OK;
	}
	crn_source *e;
	slot *from;
	CRN_TRY(borrow(s, idx[0], &e, &from, err));
	cairn_status status = e->ops->read_unit(e, idx + 1, &v, scratch, err);
	give_back(s, e, from);
	return status;
}

static cairn_status read_box(
	crn_source *base, const crn_region *r, const crn_view *out, void *scratch, cairn_error *err)
{
	stack_source *s = (stack_source *)base;
	crn_region inner = {.ndim = r->ndim - 1};
	for (int d = 0; d < inner.ndim; d++) {
		inner.lo[d] = r->lo[d + 1];
		inner.n[d] = r->n[d + 1];
		inner.step[d] = r->step[d + 1];
	}
	for (int64_t i = 0; i < r->n[0]; i++) {
		int64_t slice = r->lo[0] + i * r->step[0];
		crn_view v = slice_view(out, i);
		if (s->file_of[slice] < 0) {
			crn_view_fill(&v, (crn_elem){{0}});
			continue;
		}
		crn_source *e;
		slot *from;
		CRN_TRY(borrow(s, slice, &e, &from, err));
		cairn_status status = e->ops->read_box(e, &inner, &v, scratch, err);
		give_back(s, e, from);
		CRN_TRY(status);
	}
	return CAIRN_OK;
}

static void describe(const crn_source *base, crn_str *out)
{
	const stack_source *s = (const stack_source *)base;
	crn_str_appendf(out, "\"files\": %lld, \"first\": ", (long long)s->list.n);
	crn_json_quote(out, crn_stack_file_name(&s->list, 0));
	crn_str_append(out, ", \"last\": ");
	crn_json_quote(out, crn_stack_file_name(&s->list, s->list.n - 1));
	if (s->notes.len)
		crn_str_appendf(out, ", \"notes\": [%s]", s->notes.data);
}

static void close_source(crn_source *base)
{
	stack_source *s = (stack_source *)base;
	for (int i = 0; i < N_SLOTS; i++)
		crn_source_close(s->slots[i].source);
	if (s->lock_made)
		crn_mutex_done(&s->lock);
	crn_stack_pattern_done(&s->pattern);
	crn_stack_list_done(&s->list);
	crn_free(s->file_of);
	crn_free(s->first_name);
	crn_str_done(&s->notes);
	crn_free(base->url);
	crn_free(s);
}

static const crn_source_ops unit_ops = {read_unit, NULL, describe, close_source};
static const crn_source_ops box_ops = {read_unit, read_box, describe, close_source};

/* ---- opening ---- */

static void note(stack_source *s, const char *text)
{
	if (s->notes.len)
		crn_str_append(&s->notes, ", ");
	crn_json_quote(&s->notes, text);
}

/* Smallest distance of neighbouring numbers: a stack of every tenth slice has no gaps. */
static int64_t number_step(const crn_stack_list *l)
{
	int64_t step = INT64_MAX;
	for (int64_t i = 1; i < l->n; i++) {
		int64_t here = l->files[i].number - l->files[i - 1].number;
		step = here < step ? here : step;
	}
	return step;
}

static cairn_status check_duplicates(const stack_source *s, cairn_error *err)
{
	const crn_stack_list *l = &s->list;
	for (int64_t i = 1; l->numbered && i < l->n; i++) {
		if (l->files[i - 1].number != l->files[i].number)
			continue;
		crn_fail(err, CAIRN_INPUT, "%s: %s and %s have the same number", s->pattern.dir,
			crn_stack_file_name(l, i - 1), crn_stack_file_name(l, i));
		crn_hint(err, "choose one kind with a pattern such as img.%%05d.png");
		return CAIRN_INPUT;
	}
	return CAIRN_OK;
}

/* A gap in a glob or folder shifts all slices behind it: an error, unless the user says skip. */
static cairn_status check_gaps(stack_source *s, const crn_value *o, cairn_error *err)
{
	const crn_stack_list *l = &s->list;
	bool skip = o[OPT_MISSING].kind == CRN_V_STR && strcmp(o[OPT_MISSING].s, "skip") == 0;
	int64_t gaps = 0, first_gap = 0, step = number_step(l);
	for (int64_t i = 1; l->numbered && i < l->n; i++) {
		int64_t before = l->files[i - 1].number, here = l->files[i].number;
		int64_t between = (here - before) / step - 1;
		if (between > 0 && gaps == 0)
			first_gap = before + step;
		gaps += between;
	}
	if (gaps == 0 || s->pattern.kind == CRN_STACK_PATTERN)
		return CAIRN_OK;
	CRN_STR text = {0};
	crn_str_appendf(&text, "%lld numbers are missing, the first is %lld", (long long)gaps,
		(long long)first_gap);
	if (!skip) {
		crn_fail(err, CAIRN_INPUT, "%s: %s", s->base.url, text.data ? text.data : "");
		crn_hint(err, "missing=\"skip\" counts the slices that are there; a pattern with "
			      "missing=\"fill\" puts zeros in their place");
		return CAIRN_INPUT;
	}
	crn_str_append(&text, "; slices are counted by position");
	note(s, text.data ? text.data : "");
	return CAIRN_OK;
}

static cairn_status check_numbers(stack_source *s, const crn_value *o, cairn_error *err)
{
	CRN_TRY(check_duplicates(s, err));
	CRN_TRY(check_gaps(s, o, err));
	if (s->list.ignored > 0 && s->pattern.kind == CRN_STACK_FOLDER) {
		CRN_STR text = {0};
		crn_str_appendf(&text, "%lld other files are left out", (long long)s->list.ignored);
		note(s, text.data ? text.data : "");
	}
	return CAIRN_OK;
}

static int64_t option_int(const crn_value *v, int64_t absent)
{
	return v->kind == CRN_V_INT ? v->i : absent;
}

static cairn_status missing_number(
	const stack_source *s, int64_t number, int64_t n_missing, cairn_error *err)
{
	CRN_STR name = {0};
	crn_stack_name(&s->pattern, number, &name);
	crn_fail(err, CAIRN_INPUT, "%s/%s is missing (%lld of the numbered slices %s)",
		s->pattern.dir, name.data ? name.data : "?", (long long)n_missing,
		n_missing == 1 ? "is" : "are");
	crn_hint(err, "missing=\"fill\" reads missing slices as zeros");
	return CAIRN_INPUT;
}

static int64_t file_with_number(const crn_stack_list *l, int64_t number)
{
	int64_t lo = 0, hi = l->n;
	while (lo < hi) {
		int64_t mid = lo + (hi - lo) / 2;
		if (l->files[mid].number < number)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo < l->n && l->files[lo].number == number ? lo : -1;
}

/* Fills file_of from the list and start, stop, step, missing. */
static cairn_status choose_slices(stack_source *s, const crn_value *o, cairn_error *err)
{
	const crn_stack_list *l = &s->list;
	bool by_number = s->pattern.kind == CRN_STACK_PATTERN;
	bool fill = o[OPT_MISSING].kind == CRN_V_STR && strcmp(o[OPT_MISSING].s, "fill") == 0;
	int64_t first = by_number ? l->files[0].number : 0;
	int64_t last = by_number ? l->files[l->n - 1].number + 1 : l->n;
	int64_t start = option_int(&o[OPT_START], first), stop = option_int(&o[OPT_STOP], last);
	int64_t step = option_int(&o[OPT_STEP], 1);
	if (step < 1 || start < 0 || (!by_number && stop > l->n))
		return crn_fail(err, CAIRN_USAGE,
			"%s: start=%lld, stop=%lld, step=%lld: slices %lld to %lld are there",
			s->base.url, (long long)start, (long long)stop, (long long)step,
			(long long)first, (long long)(last - 1));
	int64_t n = stop > start ? (stop - start - 1) / step + 1 : 0;
	/* More than this many numbers per file are a mistake in the names, not a stack. */
	if (n == 0 || (n > 1 << 20 && n / 1000 > l->n))
		return crn_fail(err, CAIRN_INPUT, "%s: %lld slices wanted, %lld files found",
			s->base.url, (long long)n, (long long)l->n);
	s->file_of = crn_realloc_array(NULL, (size_t)n, sizeof *s->file_of);
	if (!s->file_of)
		return crn_fail_memory(err, "a list of slices", (size_t)n * sizeof *s->file_of);
	int64_t missing = 0, first_missing = 0;
	for (int64_t i = 0; i < n; i++) {
		int64_t at = start + i * step;
		s->file_of[i] = by_number ? file_with_number(l, at) : at;
		if (s->file_of[i] < 0 && missing++ == 0)
			first_missing = at;
	}
	s->n_slices = n;
	if (missing > 0 && !fill)
		return missing_number(s, first_missing, missing, err);
	if (missing > 0) {
		CRN_STR text = {0};
		crn_str_appendf(&text, "%lld missing slices are zeros, the first is number %lld",
			(long long)missing, (long long)first_missing);
		note(s, text.data ? text.data : "");
	}
	return missing < n ? CAIRN_OK
			   : crn_fail(err, CAIRN_INPUT, "%s: none of the wanted slices is there",
				     s->base.url);
}

/* The first slice that is there decides shape and dtype. */
static cairn_status open_first(stack_source *s, cairn_error *err)
{
	int64_t slice = 0;
	while (s->file_of[slice] < 0)
		slice++;
	crn_source *e = NULL;
	CRN_TRY(open_element(s, s->file_of[slice], &e, err));
	s->slots[0] = (slot){.slice = slice, .source = e};
	s->element = e->type;
	for (int d = 0; d < e->type.ndim; d++) {
		if (e->type.axes[d].name[0] != 'z' && e->type.axes[d].name[0] != 't')
			continue;
		crn_fail(err, CAIRN_INPUT, "%s holds several pages; a slice of a stack has one",
			e->url);
		crn_hint(err, "read the file by itself, without a pattern");
		return CAIRN_INPUT;
	}
	if (e->type.ndim < 1 || e->type.ndim + 1 > CRN_MAX_NDIM)
		return crn_fail(err, CAIRN_INPUT, "%s has %d axes; a slice needs 1 to %d", e->url,
			e->type.ndim, CRN_MAX_NDIM - 1);
	s->first_name = crn_strdup(crn_stack_file_name(&s->list, s->file_of[slice]));
	if (!s->first_name)
		return crn_fail_memory(err, "a file name", 256);
	crn_type *t = &s->base.type;
	*t = e->type;
	t->ndim = e->type.ndim + 1;
	t->shape[0] = s->n_slices;
	t->axes[0] = (crn_axis){.name = "z", .scale = 1};
	s->base.unit[0] = 1;
	for (int d = 0; d < e->type.ndim; d++) {
		t->shape[d + 1] = e->type.shape[d];
		t->axes[d + 1] = e->type.axes[d];
		s->base.unit[d + 1] = s->element_unit[d] = e->unit[d];
	}
	s->base.unit_scratch = e->unit_scratch;
	s->base.box_scratch = e->box_scratch;
	s->base.ops = e->ops->read_box ? &box_ops : &unit_ops;
	int64_t count;
	if (!crn_count(t->ndim, t->shape, &count) || count > INT64_MAX / 8)
		return crn_fail(err, CAIRN_INPUT, "%s: more than 2^60 voxels", s->base.url);
	return CAIRN_OK;
}

/* Names, sizes and times of all files of the stack; nothing is opened. */
static cairn_status set_identity(stack_source *s, cairn_error *err)
{
	crn_hasher h;
	crn_hasher_init(&h);
	crn_hash_text(&h, "stack");
	char full[PATH_MAX];
	crn_hash_text(&h, realpath(s->pattern.dir, full) ? full : s->pattern.dir);
	int dir = open(s->pattern.dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (dir < 0)
		return crn_fail_errno(err, CAIRN_INPUT, "cannot open folder", s->pattern.dir);
	for (int64_t i = 0; i < s->n_slices; i++) {
		if (s->file_of[i] < 0) {
			crn_hash_u64(&h, 0);
			continue;
		}
		const char *name = crn_stack_file_name(&s->list, s->file_of[i]);
		struct stat st = {0};
		crn_hash_text(&h, name);
		if (fstatat(dir, name, &st, 0) == 0) { /* a vanished file fails when reached */
			crn_hash_u64(&h, (uint64_t)st.st_size);
			crn_hash_u64(&h, (uint64_t)st.st_mtim.tv_sec);
			crn_hash_u64(&h, (uint64_t)st.st_mtim.tv_nsec);
		}
	}
	close(dir);
	crn_type_hash(&s->base.type, &h);
	s->base.identity = crn_hasher_result(&h);
	return CAIRN_OK;
}

static cairn_status open_into(const crn_open_request *req, stack_source *s, cairn_error *err)
{
	struct stat st;
	const char *path = crn_file_path(req->url);
	bool is_dir = stat(path, &st) == 0 && S_ISDIR(st.st_mode);
	if (!(s->base.url = crn_strdup(req->url)))
		return crn_fail_memory(err, "a file name", strlen(req->url));
	CRN_TRY(crn_stack_parse(req->url, is_dir, &s->pattern, err));
	CRN_TRY(crn_stack_find(&s->pattern, &s->list, err));
	if (s->list.n == 0) {
		crn_fail(err, CAIRN_INPUT, "%s: no file matches", req->url);
		if (is_dir)
			crn_hint(err, "a folder is read if it holds .png, .tif or .npy images");
		else
			crn_hint(err, "the folder %.150s exists; look at the names in it",
				s->pattern.dir);
		return CAIRN_INPUT;
	}
	CRN_TRY(check_numbers(s, req->options, err));
	CRN_TRY(choose_slices(s, req->options, err));
	CRN_TRY(open_first(s, err));
	return set_identity(s, err);
}

static cairn_status open_stack(const crn_open_request *req, crn_source **ret, cairn_error *err)
{
	stack_source *s = crn_calloc(1, sizeof *s);
	if (!s)
		return crn_fail_memory(err, "an input", sizeof *s);
	s->base.ops = &unit_ops;
	s->base.format = &crn_format_stack;
	s->registry = req->registry;
	crn_mutex_init(&s->lock, CRN_RANK_SOURCE);
	s->lock_made = true;
	return crn_source_hand_out(open_into(req, s, err), &s->base, ret);
}

/* A pattern or glob that is no file, or a folder with an image in it. */
static bool probe(const char *url, const unsigned char *head, size_t n_head, bool is_dir)
{
	(void)head;
	if (!is_dir)
		return n_head == 0 && crn_stack_is_pattern(url) &&
		       access(crn_file_path(url), F_OK) != 0;
	crn_stack_pattern p = {0};
	crn_stack_list l = {0};
	bool found = false;
	if (crn_stack_parse(url, true, &p, NULL) == CAIRN_OK) {
		cairn_status status = crn_stack_find(&p, &l, NULL);
		found = status == CAIRN_OK ? l.n > 0 : status == CAIRN_INPUT;
	}
	crn_stack_list_done(&l);
	crn_stack_pattern_done(&p);
	return found;
}

const crn_format crn_format_stack = {
	.name = "stack",
	.summary = "Numbered images (PNG, TIFF, NPY) as slices: pattern, glob or folder",
	.read_params = read_params,
	.probe = probe,
	.open = open_stack,
};
