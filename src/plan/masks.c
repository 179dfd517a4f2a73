/* SPDX-License-Identifier: Apache-2.0
 *
 * masks.c -- see masks.h. From the roots down every mask asks its readers; a view passes its
 * readers' answer on, and is bits itself only if what it looks at is.
 */
#include "plan/masks.h"

#include "plan/need.h"

#include <string.h>

/* A shorter row needs more bytes as words than as it is. */
enum { SHORTEST_ROW = 16 };

bool crn_mask_is_worth_bits(const crn_type *t, int64_t row)
{
	return t->dtype == CRN_BOOL && t->ndim >= 2 && row >= SHORTEST_ROW;
}

/* True if rows of the view are parts of rows of its input. */
static bool keeps_rows(const crn_node *view)
{
	crn_affine a;
	int x = view->type.ndim - 1;
	memset(&a, 0, sizeof(a));
	view->op->affine(view, &a);
	return a.axis[x] == view->in[0]->type.ndim - 1 && a.step[x] == 1;
}

static bool can_make(const crn_pnode *pn)
{
	const crn_type *t = &pn->node->type;
	if (t->ndim < 1 || !crn_mask_is_worth_bits(t, t->shape[t->ndim - 1]))
		return false;
	switch (pn->role) {
	case CRN_ROLE_CHUNKS:
		return pn->chunks_are_bits;
	case CRN_ROLE_GROUP:
		return true;
	case CRN_ROLE_COMPUTE:
		return pn->node->op->gives_bits;
	case CRN_ROLE_VIEW:
		return keeps_rows(pn->node);
	default:
		return false;
	}
}

/* True if `user` takes bits of the mask as its input k. */
static bool takes(const crn_pnode *user, int k, const crn_node *mask)
{
	const crn_type *t = &user->node->type;
	crn_need need;
	crn_region whole;
	switch (user->role) {
	case CRN_ROLE_VIEW:
		return user->bits;
	case CRN_ROLE_GROUP: /* unpacked block by block; not if one value is repeated along x */
		return t->shape[t->ndim - 1] == mask->type.shape[mask->type.ndim - 1];
	case CRN_ROLE_MEMBER: /* its group's root reads for it */
		return true;
	default:
		/* Borders are filled in the form the op reads: of bits, only constant ones. */
		if (!user->node->op->takes_bits)
			return false;
		whole = crn_region_whole(t->ndim, t->shape);
		crn_need_of(user->node, k, &whole, &need);
		return need.border == CRN_BORDER_NONE || need.border == CRN_BORDER_CONSTANT;
	}
}

static bool all_take(const crn_piece *p, int mask)
{
	for (int r = 0; r < p->n_roots; r++)
		if (p->roots[r] == mask && !p->root_bits)
			return false;
	for (int u = mask + 1; u < p->n_nodes; u++)
		for (int k = 0; k < p->nodes[u].n_in; k++)
			if (p->nodes[u].in[k] == mask &&
				!takes(&p->nodes[u], k, p->nodes[mask].node))
				return false;
	return true;
}

void crn_piece_choose_bits(crn_piece *p, bool root_bits)
{
	p->root_bits = root_bits;
	for (int i = p->n_nodes - 1; i >= 0; i--)
		p->nodes[i].bits = can_make(&p->nodes[i]) && all_take(p, i);
	for (int i = 0; i < p->n_nodes; i++) {
		crn_pnode *pn = &p->nodes[i];
		if (pn->role == CRN_ROLE_VIEW)
			pn->bits = pn->bits && p->nodes[pn->in[0]].bits;
	}
}
