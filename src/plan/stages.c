/* SPDX-License-Identifier: Apache-2.0
 *
 * stages.c -- the stages of a plan in order: folds and reductions first, then each sink's tasks.
 *
 * A sink's task is a box of whole write units, so every stored object has exactly one writer. When
 * even one unit's working set is too large, the task is computed in smaller tiles into its output.
 */
#include "plan/build.h"

#include "base/mem.h"

#include <string.h>

#define FOLD_VOXELS ((int64_t)1 << 22)
#define TASK_VOXELS ((int64_t)1 << 23)
/* Tables of a global op grow with the data; this much is promised before the run starts. */
#define TABLE_ALLOWANCE ((size_t)4 << 20)
#define TABLE_BYTES_PER_TILE ((size_t)128)
#define PRINT_MAX_BYTES ((size_t)1 << 20)

static void charge_top(crn_plan *p, const crn_node *n, size_t bytes)
{
	if (bytes <= p->top_bytes)
		return;
	p->top_bytes = bytes;
	p->biggest = n;
}

static cairn_status add_stage(crn_plan *p, crn_stage *s, cairn_error *err)
{
	crn_stage *stages = crn_realloc_array(p->stages, (size_t)p->n_stages + 1, sizeof(*stages));
	if (!stages) {
		crn_piece_done(&s->piece);
		return crn_fail_memory(err, "a plan", sizeof(*stages));
	}
	p->stages = stages;
	p->stages[p->n_stages++] = *s;
	return CAIRN_OK;
}

static void unit_ones(int64_t *unit)
{
	for (int d = 0; d < CRN_MAX_NDIM; d++)
		unit[d] = 1;
}

/* ---- folds ---- */

static cairn_status check_same_shapes(const crn_node *n, cairn_error *err)
{
	char a[256], b[256];
	for (int k = 1; k < n->n_in; k++)
		if (n->in[k]->type.ndim != n->in[0]->type.ndim ||
			memcmp(n->in[k]->type.shape, n->in[0]->type.shape,
				sizeof(int64_t) * (size_t)n->in[0]->type.ndim) != 0)
			return crn_fail(err, CAIRN_USAGE,
				"%s: inputs must have one shape, got %s and %s", n->op->name,
				crn_type_format(&n->in[0]->type, a),
				crn_type_format(&n->in[k]->type, b));
	return CAIRN_OK;
}

static cairn_status build_global(crn_builder *b, int index, crn_stage *s, cairn_error *err)
{
	crn_plan *p = b->plan;
	crn_global_plan *g = &p->globals[index];
	crn_node *n = g->node;
	const crn_type *in = &n->in[0]->type;
	CRN_TRY(check_same_shapes(n, err));
	crn_piece_done(&g->piece);
	CRN_TRY(crn_build_piece(b, n->in, n->n_in, n->op->takes_bits, &g->piece, err));
	crn_tile_query q = {.memo = &b->memo,
		.plan = p,
		.piece = &g->piece,
		.domain = crn_region_whole(in->ndim, in->shape),
		.fold = n,
		.share_bytes = crn_build_share(b, true),
		.most_voxels = FOLD_VOXELS,
		.tight = b->tight};
	unit_ones(q.unit);
	CRN_TRY(crn_tiling_choose(&q, &g->tiling, err));
	g->piece.slab = g->tiling.slab;
	g->partial_bytes = 0;
	for (int pass = 0; n->op->global->partial_bytes && pass < n->op->global->n_passes(n);
		pass++) {
		size_t bytes = n->op->global->partial_bytes(n, pass);
		g->partial_bytes = bytes > g->partial_bytes ? bytes : g->partial_bytes;
	}
	g->partial_bytes = crn_buffer_bytes(g->partial_bytes);
	s->tasks = g->tiling;
	size_t tables = TABLE_ALLOWANCE + TABLE_BYTES_PER_TILE * (size_t)g->tiling.n_tiles;
	p->standing_bytes += g->partial_bytes * (size_t)p->options.n_threads + tables;
	p->table_bytes += tables;
	charge_top(p, n, g->tiling.work_bytes);
	return CAIRN_OK;
}

static cairn_status build_resident(crn_builder *b, int index, crn_stage *s, cairn_error *err)
{
	crn_plan *p = b->plan;
	crn_resident *r = &p->residents[index];
	crn_node *in = r->node->in[0];
	crn_piece_done(&r->piece);
	CRN_TRY(crn_build_piece(b, &in, 1, r->node->op->takes_bits, &r->piece, err));
	crn_tile_query q = {.memo = &b->memo,
		.plan = p,
		.piece = &r->piece,
		.domain = crn_region_whole(in->type.ndim, in->type.shape),
		.fixed_bytes = r->acc_bytes,
		.share_bytes = crn_build_share(b, true),
		.most_voxels = FOLD_VOXELS,
		.tight = b->tight};
	unit_ones(q.unit);
	CRN_TRY(crn_tiling_choose(&q, &r->tiling, err));
	r->piece.slab = r->tiling.slab;
	s->tasks = r->tiling;
	p->standing_bytes += r->acc_bytes * (size_t)(p->options.n_threads + 1) + r->result_bytes;
	charge_top(p, r->node, r->tiling.work_bytes);
	return CAIRN_OK;
}

/* ---- sinks ---- */

static bool is_generic_arg(const char *name)
{
	static const char *const generic[] = {"input", "x", "array", "url", "path", "chunks",
		"format", "table", "constants", "append"};
	for (size_t i = 0; i < CRN_COUNT(generic); i++)
		if (strcmp(name, generic[i]) == 0)
			return true;
	return false;
}

static const crn_value *find_arg(const crn_node *n, const char *name)
{
	for (int i = 0; i < n->n_args; i++)
		if (strcmp(n->op->params[i].name, name) == 0)
			return &n->args[i];
	return NULL;
}

/* Options of the format, taken by name from the sink's arguments; others must be absent. */
static cairn_status format_options(
	const crn_node *sink, const crn_format *f, crn_value *ret, cairn_error *err)
{
	int n = 0;
	while (f->write_params && f->write_params[n].type != CRN_P_END)
		n++;
	CRN_VALUE options = {0};
	CRN_TRY(crn_value_list(n, &options, err));
	for (int i = 0; i < n; i++) {
		const crn_value *v = find_arg(sink, f->write_params[i].name);
		if (v)
			CRN_TRY(crn_value_copy(v, &options.list.items[i], err));
	}
	for (int a = 0; a < sink->n_args; a++) {
		const char *name = sink->op->params[a].name;
		bool known = is_generic_arg(name) || sink->args[a].kind == CRN_V_NONE;
		for (int i = 0; i < n; i++)
			known = known || strcmp(name, f->write_params[i].name) == 0;
		if (!known)
			return crn_fail(
				err, CAIRN_USAGE, "format %s takes no option '%s'", f->name, name);
	}
	*ret = options;
	options.kind = CRN_V_NONE;
	return CAIRN_OK;
}

cairn_status crn_plan_create_request(const crn_plan *p, const crn_node *sink,
	crn_create_request *ret, int64_t ret_chunks[CRN_MAX_NDIM], const crn_format **ret_format,
	crn_value *ret_options, cairn_error *err)
{
	const crn_value *url = find_arg(sink, "url"), *format = find_arg(sink, "format");
	const crn_value *chunks = find_arg(sink, "chunks");
	const crn_type *type = &sink->in[0]->type;
	CRN_TRY(crn_format_for_writing(p->registry, url->s,
		format && format->kind == CRN_V_STR ? format->s : NULL, ret_format, err));
	*ret = (crn_create_request){.url = url->s, .registry = p->registry, .type = *type};
	if (chunks && chunks->kind != CRN_V_NONE) {
		if (chunks->kind == CRN_V_INT) {
			for (int d = 0; d < type->ndim; d++)
				ret_chunks[d] = chunks->i;
		} else if (chunks->kind == CRN_V_LIST && chunks->list.n == type->ndim) {
			for (int d = 0; d < type->ndim; d++)
				ret_chunks[d] = chunks->list.items[d].i;
		} else {
			return crn_fail(err, CAIRN_USAGE,
				"write: chunks must be an int or have one extent per axis (%d)",
				type->ndim);
		}
		for (int d = 0; d < type->ndim; d++) {
			if (ret_chunks[d] < 1)
				return crn_fail(err, CAIRN_USAGE,
					"write: chunk extent %lld on axis %d",
					(long long)ret_chunks[d], d);
			int64_t extent = type->shape[d] > 0 ? type->shape[d] : 1;
			ret_chunks[d] = ret_chunks[d] < extent ? ret_chunks[d] : extent;
		}
		ret->chunks = ret_chunks;
	}
	return format_options(sink, *ret_format, ret_options, err);
}

static cairn_status sink_unit(crn_plan *p, const crn_node *sink, crn_stage *s, cairn_error *err)
{
	crn_create_request req;
	int64_t chunks[CRN_MAX_NDIM];
	CRN_VALUE options = {0};
	CRN_TRY(crn_plan_create_request(p, sink, &req, chunks, &s->format, &options, err));
	req.options = options.list.items;
	if (!s->format->plan_unit)
		return crn_fail(err, CAIRN_USAGE, "format %s cannot be written", s->format->name);
	return s->format->plan_unit(&req, s->unit, &s->unit_scratch, err);
}

static int64_t unit_voxels(const crn_stage *s)
{
	int64_t voxels = 1;
	for (int d = 0; d < s->node->type.ndim; d++)
		voxels *= s->unit[d];
	return voxels;
}

/* Tasks of whole units; if none is inside the share, one unit a task, computed in smaller tiles. */
static cairn_status tile_array(crn_builder *b, crn_stage *s, cairn_error *err)
{
	crn_plan *p = b->plan;
	const crn_type *type = &s->node->type;
	size_t item = crn_dtype_size(type->dtype);
	crn_tile_query q = {.memo = &b->memo,
		.plan = p,
		.piece = &s->piece,
		.domain = crn_region_whole(type->ndim, type->shape),
		.owned_roots = true,
		.bytes_per_voxel = item,
		.fixed_bytes = crn_buffer_bytes(s->unit_scratch),
		.share_bytes = crn_build_share(b, true),
		.most_voxels = TASK_VOXELS,
		.tight = b->tight};
	memcpy(q.unit, s->unit, sizeof(q.unit));
	if (p->options.unit_tasks)
		q.most_voxels = unit_voxels(s);
	CRN_TRY(crn_tiling_choose(&q, &s->tasks, err));
	s->piece.slab = s->tasks.slab;
	memcpy(s->tile, s->tasks.tile, sizeof(s->tile));
	if (s->tasks.work_bytes <= q.share_bytes && !b->tight)
		return CAIRN_OK;
	crn_tiling units, inner;
	int64_t zero[CRN_MAX_NDIM] = {0};
	crn_tiling_set(&units, &q.domain, s->unit);
	q.domain = crn_unit_region(type->ndim, type->shape, s->unit, zero);
	q.bytes_per_voxel = 0;
	q.fixed_bytes += crn_buffer_bytes(crn_view_dense_bytes(type->dtype, type->ndim, s->unit));
	unit_ones(q.unit);
	CRN_TRY(crn_tiling_choose(&q, &inner, err));
	if (inner.work_bytes >= s->tasks.work_bytes)
		return CAIRN_OK;
	s->tasks = units;
	s->tasks.work_bytes = inner.work_bytes;
	s->tasks.tile_ns = inner.tile_ns * (double)inner.n_tiles;
	s->piece.slab = inner.slab;
	memcpy(s->tile, inner.tile, sizeof(s->tile));
	return CAIRN_OK;
}

static cairn_status build_array(crn_builder *b, crn_node *sink, crn_stage *s, cairn_error *err)
{
	crn_plan *p = b->plan;
	CRN_TRY(sink_unit(p, sink, s, err));
	s->encode_ns = crn_costs_encode(p->options.costs, s->format->name, s->node->type.dtype);
	for (int d = 0; d < s->node->type.ndim; d++)
		s->unit_grid[d] = crn_n_units(s->node->type.shape[d], s->unit[d]);
	CRN_TRY(crn_build_piece(b, &s->node, 1, false, &s->piece, err));
	CRN_TRY(tile_array(b, s, err));
	charge_top(p, s->node, s->tasks.work_bytes);
	int64_t units = 1;
	for (int d = 0; d < s->node->type.ndim; d++)
		units *= s->unit_grid[d];
	p->standing_bytes += (size_t)units / 8; /* the journal's bits */
	return CAIRN_OK;
}

/* PRINT and MEMORY: tiles straight into a buffer that is there already. */
static cairn_status build_memory(
	crn_builder *b, const crn_region *domain, crn_stage *s, cairn_error *err)
{
	crn_plan *p = b->plan;
	CRN_TRY(crn_build_piece(b, &s->node, 1, false, &s->piece, err));
	crn_tile_query q = {.memo = &b->memo,
		.plan = p,
		.piece = &s->piece,
		.domain = *domain,
		.owned_roots = true,
		.share_bytes = crn_build_share(b, true),
		.most_voxels = TASK_VOXELS,
		.tight = b->tight};
	unit_ones(q.unit);
	CRN_TRY(crn_tiling_choose(&q, &s->tasks, err));
	s->piece.slab = s->tasks.slab;
	memcpy(s->tile, s->tasks.tile, sizeof(s->tile));
	charge_top(p, s->node, s->tasks.work_bytes);
	return CAIRN_OK;
}

static cairn_status build_print(crn_builder *b, crn_stage *s, cairn_error *err)
{
	crn_type *t = &s->node->type;
	crn_region whole = crn_region_whole(t->ndim, t->shape);
	double bytes = (double)crn_dtype_size(t->dtype);
	for (int d = 0; d < t->ndim; d++)
		bytes *= (double)t->shape[d];
	if (bytes > (double)PRINT_MAX_BYTES)
		return crn_fail(err, CAIRN_USAGE,
			"print shows arrays up to %zu KiB; write() larger ones",
			PRINT_MAX_BYTES >> 10);
	b->plan->standing_bytes += crn_buffer_bytes((size_t)bytes);
	return build_memory(b, &whole, s, err);
}

static cairn_status build_sink(crn_builder *b, int i, cairn_error *err)
{
	crn_plan *p = b->plan;
	crn_node *sink = p->infos[i].node;
	for (int k = 0; k < sink->n_in; k++) {
		crn_stage s = {.index = i, .node = sink->in[k]};
		cairn_status status = CAIRN_OK;
		if (strcmp(sink->op->name, "print") == 0) {
			s.kind = CRN_STAGE_PRINT;
			status = build_print(b, &s, err);
		} else if (s.node->type.is_table) {
			s.kind = CRN_STAGE_TABLE;
		} else {
			s.kind = CRN_STAGE_ARRAY;
			status = build_array(b, sink, &s, err);
		}
		if (status != CAIRN_OK) {
			crn_piece_done(&s.piece);
			crn_where(err, "op %s", sink->origin);
			return status;
		}
		CRN_TRY(add_stage(p, &s, err));
	}
	return CAIRN_OK;
}

static void drop_stages(crn_plan *p)
{
	for (int s = 0; s < p->n_stages; s++)
		crn_piece_done(&p->stages[s].piece);
	p->n_stages = 0;
	p->top_bytes = p->table_bytes = 0;
	p->standing_bytes = p->options.record_bytes;
	p->biggest = NULL;
}

/* ---- folds of one array share a walk ---- */

const crn_node *crn_stage_fold(const crn_plan *p, const crn_stage *s, int i)
{
	const crn_fold_ref *f = &s->folds[i];
	return f->kind == CRN_STAGE_GLOBAL ? p->globals[f->index].node
					   : p->residents[f->index].node;
}

const crn_piece *crn_stage_piece(const crn_plan *p, const crn_stage *s)
{
	return s->kind == CRN_STAGE_GLOBAL     ? &p->globals[s->index].piece
	       : s->kind == CRN_STAGE_RESIDENT ? &p->residents[s->index].piece
					       : &s->piece;
}

crn_tiling crn_stage_tiles(const crn_stage *s)
{
	crn_tiling tiles = s->tasks;
	if (s->n_folds == 0 && s->kind != CRN_STAGE_TABLE)
		crn_tiling_set(&tiles, &s->tasks.domain, s->tile);
	return tiles;
}

int crn_stage_passes(const crn_plan *p, const crn_stage *s)
{
	int most = 1;
	for (int i = 0; i < s->n_folds; i++) {
		const crn_node *n = crn_stage_fold(p, s, i);
		int passes = n->op->kind == CRN_GLOBAL ? n->op->global->n_passes(n) : 1;
		most = passes > most ? passes : most;
	}
	return most;
}

/* What a fold takes beside the tile it looks at. */
static size_t fold_bytes(const crn_plan *p, const crn_fold_ref *f, const crn_tiling *t)
{
	if (f->kind == CRN_STAGE_RESIDENT)
		return crn_buffer_bytes(p->residents[f->index].acc_bytes);
	const crn_node *n = p->globals[f->index].node;
	crn_region tile = crn_tiling_region(t, 0);
	return n->op->global->fold_scratch ? crn_buffer_bytes(n->op->global->fold_scratch(n, &tile))
					   : 0;
}

/* Lets the fold of `s` join an earlier stage over the same array, which is then read and computed
 * once. What that array needs is there by then, for the earlier stage needs it too. */
static bool join_stage(crn_builder *b, const crn_stage *s)
{
	crn_plan *p = b->plan;
	for (int i = 0; i < p->n_stages && s->node->n_in == 1; i++) {
		crn_stage *host = &p->stages[i];
		if (host->n_folds == 0 || host->n_folds == CRN_MAX_FOLDS || host->node->n_in != 1 ||
			host->node->in[0] != s->node->in[0])
			continue;
		host->folds[host->n_folds++] = s->folds[0];
		host->tasks.work_bytes += fold_bytes(p, &s->folds[0], &host->tasks);
		charge_top(p, host->node, host->tasks.work_bytes);
		return true;
	}
	return false;
}

/* The fold of node n, if it has one: a stage of its own, or part of one. */
static cairn_status build_fold(crn_builder *b, crn_node *n, cairn_error *err)
{
	crn_plan *p = b->plan;
	crn_stage s = {.index = -1, .node = n};
	cairn_status status = CAIRN_OK;
	for (int g = 0; g < p->n_globals; g++) {
		if (p->globals[g].node != n)
			continue;
		s.kind = CRN_STAGE_GLOBAL;
		s.index = g;
		status = build_global(b, g, &s, err);
	}
	for (int r = 0; r < p->n_residents; r++) {
		if (p->residents[r].node != n)
			continue;
		s.kind = CRN_STAGE_RESIDENT;
		s.index = r;
		status = build_resident(b, r, &s, err);
	}
	if (status != CAIRN_OK)
		crn_where(err, "op %s", n->origin);
	if (status != CAIRN_OK || s.index < 0)
		return status;
	s.folds[s.n_folds++] = (crn_fold_ref){.kind = s.kind, .index = s.index};
	return !b->tight && join_stage(b, &s) ? CAIRN_OK : add_stage(p, &s, err);
}

cairn_status crn_build_stages(crn_builder *b, cairn_error *err)
{
	crn_plan *p = b->plan;
	drop_stages(p);
	for (int i = 0; i < p->n_infos; i++) {
		if (p->infos[i].node->op->kind == CRN_SINK)
			CRN_TRY(build_sink(b, i, err));
		else
			CRN_TRY(build_fold(b, p->infos[i].node, err));
	}
	if (!p->options.region)
		return CAIRN_OK;
	crn_stage s = {.kind = CRN_STAGE_MEMORY, .node = p->infos[p->n_infos - 1].node};
	cairn_status status = build_memory(b, p->options.region, &s, err);
	if (status != CAIRN_OK) {
		crn_piece_done(&s.piece);
		return status;
	}
	return add_stage(p, &s, err);
}
