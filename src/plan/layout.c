/* SPDX-License-Identifier: Apache-2.0
 *
 * layout.c -- regions of one tile. See layout.h; their order and memory are walk.h's.
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
	if (!of)
		return crn_fail_memory(err, "a tile layout", (size_t)p->n_nodes * sizeof(*of));
	*ret = (crn_layout){.n_nodes = p->n_nodes, .of = of};
	return CAIRN_OK;
}

void crn_layout_done(crn_layout *l)
{
	crn_free(l->of);
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
}

/* ---- memory ---- */

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
	/* Registers, a gathered or repeated row block for every input that needs one, and the bytes
	 * of a block that becomes bits. */
	return (size_t)pn->program.n_regs * pn->program.reg_bytes +
	       (size_t)pn->n_in * CRN_BLOCK * sizeof(crn_elem) + (pn->bits ? CRN_BLOCK : 0);
}
