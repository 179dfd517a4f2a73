/* SPDX-License-Identifier: Apache-2.0
 *
 * piece.c -- collecting the nodes of a piece and forming elementwise groups.
 *
 * Grouping walks from the roots down: an elementwise node joins the group of its users if all of
 * them are elementwise nodes of one group and have its shape. So a diamond (x*x + x) is one
 * program, and a value used by two different groups is stored once.
 */
#include "plan/piece.h"

#include "base/mem.h"

#include <string.h>

typedef struct builder {
	crn_piece *piece;
	int cap;
	crn_place_fn place;
	void *plan;
} builder;

static int find(const crn_piece *p, const crn_node *n)
{
	for (int i = 0; i < p->n_nodes; i++)
		if (p->nodes[i].node == n)
			return i;
	return -1;
}

static cairn_status append(builder *b, const crn_pnode *pn, int *ret, cairn_error *err)
{
	crn_piece *p = b->piece;
	if (p->n_nodes == b->cap) {
		int cap = b->cap ? 2 * b->cap : 16;
		crn_pnode *nodes = crn_realloc_array(p->nodes, (size_t)cap, sizeof(*nodes));
		if (!nodes)
			return crn_fail_memory(err, "a plan", (size_t)cap * sizeof(*nodes));
		p->nodes = nodes;
		b->cap = cap;
	}
	*ret = p->n_nodes;
	p->nodes[p->n_nodes++] = *pn;
	return CAIRN_OK;
}

static bool is_leaf(const crn_pnode *pn)
{
	if (pn->role <= CRN_ROLE_RESIDENT)
		return true;
	return pn->node->op->kind == CRN_GLOBAL && !pn->node->op->need;
}

/* Depth is bounded by the depth of the expression the user wrote. */
static cairn_status add(builder *b, crn_node *n, bool as_root, int *ret, cairn_error *err)
{
	int known = find(b->piece, n);
	if (known >= 0) {
		*ret = known;
		return CAIRN_OK;
	}
	crn_placement where = {.slot = -1, .info = -1};
	b->place(b->plan, n, as_root, &where);
	crn_pnode pn = {.node = n,
		.role = where.role,
		.slot = where.slot,
		.info = where.info,
		.cost_ns = where.cost_ns,
		.chunks_are_bits = where.chunks_are_bits};
	if (!is_leaf(&pn)) {
		pn.n_in = n->n_in;
		for (int k = 0; k < n->n_in; k++)
			CRN_TRY(add(b, n->in[k], false, &pn.in[k], err));
	}
	CRN_TRY(append(b, &pn, ret, err));
	b->piece->nodes[*ret].group = *ret;
	return CAIRN_OK;
}

/* ---- groups ---- */

static bool is_root(const crn_piece *p, int i)
{
	for (int r = 0; r < p->n_roots; r++)
		if (p->roots[r] == i)
			return true;
	return false;
}

static bool same_shape(const crn_node *a, const crn_node *b)
{
	return a->type.ndim == b->type.ndim &&
	       memcmp(a->type.shape, b->type.shape,
		       (size_t)a->type.ndim * sizeof(a->type.shape[0])) == 0;
}

/* The one group all users of node i belong to, or -1. */
static int users_group(const crn_piece *p, int i)
{
	int group = -1;
	for (int u = i + 1; u < p->n_nodes; u++) {
		const crn_pnode *user = &p->nodes[u];
		for (int k = 0; k < user->n_in; k++) {
			if (user->in[k] != i)
				continue;
			if (user->role != CRN_ROLE_GROUP && user->role != CRN_ROLE_MEMBER)
				return -1;
			if (!same_shape(user->node, p->nodes[i].node))
				return -1;
			if (group >= 0 && group != user->group)
				return -1;
			group = user->group;
		}
	}
	return group;
}

/* Steps of a group stay few enough that its registers fit the L2 share of a core. */
#define GROUP_MAX 64

/* Different nodes outside the group that it would read with node `extra` in it. */
static int count_outside(const crn_piece *p, int group, int extra)
{
	int seen[CRN_MAX_INPUTS + 1], n = 0;
	for (int u = extra; u <= group; u++) {
		const crn_pnode *pn = &p->nodes[u];
		if (pn->group != group && u != extra)
			continue;
		for (int k = 0; k < pn->n_in; k++) {
			int in = pn->in[k];
			bool inside = p->nodes[in].group == group || in == extra, known = false;
			for (int i = 0; i < n; i++)
				known = known || seen[i] == in;
			if (inside || known)
				continue;
			if (n > CRN_MAX_INPUTS - 1)
				return CRN_MAX_INPUTS + 1;
			seen[n++] = in;
		}
	}
	return n;
}

static void form_groups(crn_piece *p)
{
	for (int i = p->n_nodes - 1; i >= 0; i--) {
		crn_pnode *pn = &p->nodes[i];
		if (pn->role != CRN_ROLE_GROUP || is_root(p, i))
			continue;
		int group = users_group(p, i), size = 0;
		for (int j = 0; j < p->n_nodes; j++)
			size += p->nodes[j].group == group;
		if (group >= 0 && size < GROUP_MAX &&
			count_outside(p, group, i) <= CRN_MAX_INPUTS) {
			pn->role = CRN_ROLE_MEMBER;
			pn->group = group;
		}
	}
}

/* Outside inputs of a group, each once; the index of `node` among them, adding it if there is room.
 */
static int outside_input(crn_pnode *root, int *inputs, int node)
{
	for (int k = 0; k < root->n_in; k++)
		if (inputs[k] == node)
			return k;
	if (root->n_in == CRN_MAX_INPUTS)
		return -1;
	inputs[root->n_in] = node;
	return root->n_in++;
}

/* The last node of the group that reads `node`. While a group is compiled, the list of its root
 * becomes the group's outside inputs, so the root's own inputs come in `own`. */
static int last_use(const crn_piece *p, int group, int node, const int *own, int n_own)
{
	for (int k = 0; k < n_own; k++)
		if (own[k] == node)
			return group;
	int last = node;
	for (int u = node + 1; u < group; u++)
		if (p->nodes[u].group == group)
			for (int k = 0; k < p->nodes[u].n_in; k++)
				if (p->nodes[u].in[k] == node)
					last = u;
	return last;
}

typedef struct registers {
	int free_after[GROUP_MAX]; /* node index after which a register is free again */
	int n;
} registers;

static int take_register(registers *r, int now, int until)
{
	for (int i = 0; i < r->n; i++) {
		if (r->free_after[i] < now) {
			r->free_after[i] = until;
			return i;
		}
	}
	r->free_after[r->n] = until;
	return r->n++;
}

/* The row function of a step. A number beside an array has no axes, whatever the tile: which
 * function is taken must not depend on how the array is cut. */
static crn_row_fn row_of(const crn_piece *p, const crn_bound *bound, const int *in, int n_in)
{
	for (int k = 0; k < 2 && n_in == 2; k++)
		if (bound->one[k] && p->nodes[in[k]].node->type.ndim == 0 &&
			p->nodes[in[1 - k]].node->type.ndim > 0)
			return bound->one[k];
	return bound->row;
}

static bool compile_group(crn_piece *p, int g, crn_place_fn place, void *plan, int *ret_inputs)
{
	crn_pnode *root = &p->nodes[g];
	int reg_of[GROUP_MAX], node_of[GROUP_MAX], n = 0;
	registers regs = {.n = 0};
	size_t widest = 1;
	root->program.n_steps = 0;
	root->cost_ns = 0;
	int n_in = root->n_in, own[CRN_MAX_INPUTS];
	memcpy(own, root->in, sizeof(own));
	root->n_in = 0;
	for (int i = 0; i <= g; i++) {
		crn_pnode *pn = &p->nodes[i];
		if (pn->group != g || (i != g && pn->role != CRN_ROLE_MEMBER))
			continue;
		crn_step *s = &root->program.steps[n];
		crn_placement where = {.slot = -1, .info = -1};
		place(plan, pn->node, i == g && is_root(p, g), &where);
		root->cost_ns += where.cost_ns;
		const int *in = i == g ? own : pn->in;
		*s = (crn_step){.data = where.bound->data,
			.n_operands = i == g ? n_in : pn->n_in,
			.info = pn->info,
			.reg = -1};
		s->row = row_of(p, where.bound, in, s->n_operands);
		for (int k = 0; k < s->n_operands; k++) {
			const crn_pnode *from = &p->nodes[in[k]];
			bool inside = from->group == g && in[k] != g;
			if (inside) {
				for (int m = 0; m < n; m++)
					if (node_of[m] == in[k])
						s->operand[k] = reg_of[m];
			} else {
				int outside = outside_input(root, ret_inputs, in[k]);
				if (outside < 0)
					return false;
				s->operand[k] = -1 - outside;
			}
		}
		if (i != g) {
			s->reg = take_register(&regs, i, last_use(p, g, i, own, n_in));
			size_t size = crn_dtype_size(pn->node->type.dtype);
			widest = size > widest ? size : widest;
		}
		node_of[n] = i;
		reg_of[n++] = s->reg;
	}
	root->program.n_steps = n;
	root->program.n_regs = regs.n;
	root->program.reg_bytes = CRN_BLOCK * widest;
	return true;
}

static cairn_status compile_groups(crn_piece *p, crn_place_fn place, void *plan, cairn_error *err)
{
	for (int g = 0; g < p->n_nodes; g++) {
		crn_pnode *root = &p->nodes[g];
		if (root->role != CRN_ROLE_GROUP)
			continue;
		int size = 0, inputs[CRN_MAX_INPUTS] = {0};
		for (int i = 0; i <= g; i++)
			size += p->nodes[i].group == g;
		root->program.steps = crn_calloc((size_t)size, sizeof(crn_step));
		if (!root->program.steps)
			return crn_fail_memory(err, "a block program", sizeof(crn_step));
		if (!compile_group(p, g, place, plan, inputs))
			return crn_fail(err, CAIRN_USAGE,
				"one elementwise expression uses more than %d arrays",
				CRN_MAX_INPUTS);
		memcpy(root->in, inputs, sizeof(inputs));
	}
	return CAIRN_OK;
}

cairn_status crn_piece_build(crn_node *const *roots, int n_roots, crn_place_fn place, void *plan,
	crn_piece *ret, cairn_error *err)
{
	crn_piece piece = {0};
	builder b = {.piece = &piece, .place = place, .plan = plan};
	cairn_status status = CAIRN_OK;
	for (int r = 0; r < n_roots && status == CAIRN_OK; r++) {
		status = add(&b, roots[r], true, &piece.roots[r], err);
		piece.n_roots = r + 1;
	}
	if (status == CAIRN_OK) {
		form_groups(&piece);
		status = compile_groups(&piece, place, plan, err);
	}
	if (status != CAIRN_OK) {
		crn_piece_done(&piece);
		return status;
	}
	*ret = piece;
	return CAIRN_OK;
}

void crn_piece_done(crn_piece *p)
{
	for (int i = 0; i < p->n_nodes; i++)
		crn_free(p->nodes[i].program.steps);
	crn_free(p->nodes);
	*p = (crn_piece){0};
}
