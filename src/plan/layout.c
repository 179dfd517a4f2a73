/* SPDX-License-Identifier: Apache-2.0
 *
 * layout.c -- regions of one tile, their memory and their cost. See layout.h.
 *
 * The memory model here and the frame that executes a tile (exec/frame.c) follow the same order:
 * nodes in topological order, an instance's buffer lives from its computation to its last user.
 * Border copies are assumed wherever an op may ask for them, so the model is an upper bound.
 */
#include "plan/layout.h"

#include "base/mem.h"
#include "core/format.h"
#include "plan/need.h"

#include <string.h>

/* Need of input k of a piece node. A group's inputs broadcast to the group's shape. */
void crn_piece_need(
	const crn_pnode *pn, int k, const crn_node *in, const crn_region *out, crn_need *ret)
{
	if (pn->role == CRN_ROLE_GROUP)
		*ret = (crn_need){.region = crn_broadcast_region(&in->type, &pn->node->type, out)};
	else
		crn_need_of(pn->node, k, out, ret);
}

cairn_status crn_layout_new(const crn_piece *p, crn_layout *ret, cairn_error *err)
{
	crn_instances *of = crn_calloc((size_t)p->n_nodes, sizeof(*of));
	int(*left)[CRN_LAYOUT_LIST] = crn_calloc((size_t)p->n_nodes, sizeof(*left));
	if (!of || !left) {
		crn_free(of);
		crn_free(left);
		return crn_fail_memory(err, "a tile layout", (size_t)p->n_nodes * sizeof(*of));
	}
	*ret = (crn_layout){.n_nodes = p->n_nodes, .of = of, .left = left};
	return CAIRN_OK;
}

void crn_layout_done(crn_layout *l)
{
	crn_free(l->of);
	crn_free(l->left);
	*l = (crn_layout){0};
}

/* Voxels the hull of a and b holds beyond both, as a share of both. */
static double waste(const crn_region *a, const crn_region *b)
{
	crn_region h = crn_region_hull(a, b);
	double both = (double)crn_region_count(a) + (double)crn_region_count(b);
	return (double)crn_region_count(&h) / both - 1;
}

static void merge_pair(crn_instances *in, int a, int b)
{
	in->region[a] = crn_region_hull(&in->region[a], &in->region[b]);
	in->region[b] = in->region[--in->n];
}

/* Merges until no pair wastes less than a quarter. */
static void settle(crn_instances *in)
{
	for (bool again = true; again;) {
		again = false;
		for (int a = 0; a < in->n && !again; a++) {
			for (int b = a + 1; b < in->n && !again; b++) {
				if (waste(&in->region[a], &in->region[b]) > 0.25)
					continue;
				merge_pair(in, a, b);
				again = true;
			}
		}
	}
}

static void request(crn_instances *in, const crn_region *r)
{
	if (crn_region_empty(r))
		return;
	for (int i = 0; i < in->n; i++)
		if (crn_region_contains(&in->region[i], r))
			return;
	if (in->n == CRN_LAYOUT_LIST) {
		int best = 0;
		for (int i = 1; i < in->n; i++)
			if (waste(&in->region[i], r) < waste(&in->region[best], r))
				best = i;
		in->region[best] = crn_region_hull(&in->region[best], r);
		return;
	}
	in->region[in->n++] = *r;
	settle(in);
}

int crn_layout_find(const crn_layout *l, int i, const crn_region *part)
{
	for (int v = 0; v < l->of[i].n; v++)
		if (crn_region_contains(&l->of[i].region[v], part))
			return v;
	return -1;
}

/* Counts who reads which instance, once all regions are settled. */
static void count_uses(crn_layout *l, const crn_piece *p)
{
	for (int i = 0; i < p->n_nodes; i++)
		memset(l->of[i].uses, 0, sizeof(l->of[i].uses));
	for (int u = 0; u < p->n_nodes; u++) {
		const crn_pnode *user = &p->nodes[u];
		for (int k = 0; k < user->n_in; k++) {
			const crn_node *in = p->nodes[user->in[k]].node;
			for (int w = 0; w < l->of[u].n; w++) {
				crn_need need;
				crn_piece_need(user, k, in, &l->of[u].region[w], &need);
				crn_region read = crn_need_read(&need, in->type.shape);
				if (!crn_region_empty(&read))
					l->of[user->in[k]]
						.uses[crn_layout_find(l, user->in[k], &read)]++;
			}
		}
	}
}

void crn_layout_fill(crn_layout *l, const crn_piece *p, const crn_region *roots)
{
	for (int i = 0; i < p->n_nodes; i++)
		l->of[i].n = 0;
	for (int r = 0; r < p->n_roots; r++)
		request(&l->of[p->roots[r]], &roots[r]);
	for (int i = p->n_nodes - 1; i >= 0; i--) {
		const crn_pnode *pn = &p->nodes[i];
		settle(&l->of[i]);
		for (int v = 0; v < l->of[i].n; v++) {
			for (int k = 0; k < pn->n_in; k++) {
				const crn_node *in = p->nodes[pn->in[k]].node;
				crn_need need;
				crn_piece_need(pn, k, in, &l->of[i].region[v], &need);
				crn_region read = crn_need_read(&need, in->type.shape);
				request(&l->of[pn->in[k]], &read);
			}
		}
	}
	count_uses(l, p);
}

/* ---- memory and cost ---- */

size_t crn_buffer_bytes(size_t n)
{
	enum { SMALLEST = 4096 };
	if (n <= SMALLEST)
		return SMALLEST;
	/* Four steps per power of two: at most a quarter is lost, and freed buffers fit again. */
	size_t power = (size_t)1 << (63 - __builtin_clzll(n - 1));
	size_t step = power / 4;
	return (n + step - 1) / step * step;
}

size_t crn_program_scratch(const crn_pnode *pn)
{
	/* Registers, and a gathered or repeated row block for every input that needs one. */
	return (size_t)pn->program.n_regs * pn->program.reg_bytes +
	       (size_t)pn->n_in * CRN_BLOCK * sizeof(crn_elem);
}

static size_t region_bytes(const crn_node *n, const crn_region *r)
{
	return crn_buffer_bytes((size_t)crn_region_count(r) * crn_dtype_size(n->type.dtype));
}

typedef struct meter {
	crn_layout *l;
	const crn_piece *p;
	size_t live, peak;
} meter;

static void meter_add(meter *m, size_t bytes)
{
	m->live += bytes;
	if (m->live > m->peak)
		m->peak = m->live;
}

/* One use of an instance is over. A use of a view is a use of what it looks at, which stays. */
static void meter_release(meter *m, int i, int v, int *uses_left)
{
	if (--uses_left[v] == 0) {
		m->live -= m->l->of[i].bytes[v];
		m->l->of[i].bytes[v] = 0;
	}
}

/* Bytes that live only while instance r of pn is computed. */
static size_t temporary_bytes(const crn_piece *p, const crn_pnode *pn, const crn_region *r)
{
	size_t bytes = 0;
	for (int k = 0; k < pn->n_in && pn->role == CRN_ROLE_COMPUTE; k++) {
		const crn_node *in = p->nodes[pn->in[k]].node;
		crn_need need;
		crn_piece_need(pn, k, in, r, &need);
		if (!crn_region_empty(&need.region))
			bytes += region_bytes(in, &need.region);
	}
	if (pn->role == CRN_ROLE_GROUP)
		bytes += crn_buffer_bytes(crn_program_scratch(pn));
	if (pn->role == CRN_ROLE_COMPUTE && pn->node->op->scratch)
		bytes += crn_buffer_bytes(pn->node->op->scratch(pn->node, r));
	if (pn->role == CRN_ROLE_BOX)
		bytes += crn_buffer_bytes(pn->node->source->box_scratch);
	return bytes;
}

static void meter_instance(meter *m, int i, int v, bool owned_root)
{
	const crn_pnode *pn = &m->p->nodes[i];
	const crn_region *r = &m->l->of[i].region[v];
	m->l->of[i].bytes[v] = 0;
	if (!owned_root) {
		m->l->of[i].bytes[v] = region_bytes(pn->node, r);
		meter_add(m, m->l->of[i].bytes[v]);
	}
	size_t temporary = temporary_bytes(m->p, pn, r);
	meter_add(m, temporary);
	m->live -= temporary;
}

/* Releases the inputs of node i, all of whose instances are computed. Views hand on their input's
 * buffer, so an input read by a view is kept to the end: an upper bound, and views are cheap. */
static void meter_inputs(meter *m, int i, int (*left)[CRN_LAYOUT_LIST])
{
	const crn_pnode *pn = &m->p->nodes[i];
	if (pn->role == CRN_ROLE_VIEW)
		return;
	for (int w = 0; w < m->l->of[i].n; w++) {
		for (int k = 0; k < pn->n_in; k++) {
			const crn_node *in = m->p->nodes[pn->in[k]].node;
			crn_need need;
			crn_piece_need(pn, k, in, &m->l->of[i].region[w], &need);
			crn_region read = crn_need_read(&need, in->type.shape);
			if (!crn_region_empty(&read))
				meter_release(m, pn->in[k], crn_layout_find(m->l, pn->in[k], &read),
					left[pn->in[k]]);
		}
	}
}

static double instance_ns(const crn_pnode *pn, const crn_region *r)
{
	double voxels = (double)crn_region_count(r), ns = 0;
	switch (pn->role) {
	case CRN_ROLE_BOX:
		return 0.5 * voxels;
	case CRN_ROLE_GROUP:
		for (int s = 0; s < pn->program.n_steps; s++)
			ns += 0.5 * voxels;
		return ns;
	case CRN_ROLE_COMPUTE:
		return (pn->cost_ns + 0.5) * voxels;
	default:
		return 0;
	}
}

static bool is_root(const crn_piece *p, int i)
{
	for (int k = 0; k < p->n_roots; k++)
		if (p->roots[k] == i)
			return true;
	return false;
}

void crn_layout_measure(crn_layout *l, const crn_piece *p, bool owned_roots, crn_chunks_fn chunks,
	const void *plan, crn_tile_bytes *ret_bytes, double *ret_ns)
{
	meter m = {.l = l, .p = p};
	*ret_bytes = (crn_tile_bytes){0};
	*ret_ns = 0;
	for (int i = 0; i < p->n_nodes; i++) {
		const crn_pnode *pn = &p->nodes[i];
		for (int v = 0; v < l->of[i].n; v++) {
			const crn_region *r = &l->of[i].region[v];
			if (pn->role == CRN_ROLE_CHUNKS) {
				int64_t n_chunks;
				size_t chunk_bytes;
				chunks(plan, pn->slot, r, &n_chunks, &chunk_bytes);
				ret_bytes->pinned +=
					(size_t)n_chunks * crn_buffer_bytes(chunk_bytes);
				*ret_ns += 200.0 * (double)n_chunks +
					   0.4 * (double)crn_region_count(r);
			}
			*ret_ns += instance_ns(pn, r);
			meter_instance(&m, i, v, owned_roots && is_root(p, i));
		}
		memcpy(l->left[i], l->of[i].uses, sizeof(l->left[i]));
		meter_inputs(&m, i, l->left);
	}
	ret_bytes->frame = m.peak;
}
