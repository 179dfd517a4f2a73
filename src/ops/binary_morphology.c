/* SPDX-License-Identifier: Apache-2.0
 *
 * binary_morphology.c -- binary_erosion, binary_dilation, binary_opening, binary_closing.
 *
 * All four are the same calls of erosion and dilation passes, so they share one file. Iterations
 * are nodes, one each: at the border scipy meets border_value again in every iteration, which no
 * single larger structuring element reproduces.
 */
#include "ops/binary_pass.h"

#include "base/mem.h"
#include "core/call.h"
#include "ops/filter_window.h"

enum { INPUT, STRUCTURE, ITERATIONS, BORDER, ORIGIN };
enum { MAX_ITERATIONS = 1000 };

static const crn_param params[] = {
	[INPUT] = {"input", CRN_P_ARRAY, NULL, "array; what is not zero is set", NULL},
	[STRUCTURE] = {"structure", CRN_P_CONST, "None",
		"structuring element with as many axes; None: the cross of connectivity 1", NULL},
	[ITERATIONS] = {"iterations", CRN_P_INT, "1", "how often, >= 1", NULL},
	[BORDER] = {"border_value", CRN_P_INT, "0", "value outside the array, 0 or 1", NULL},
	[ORIGIN] = {"origin", CRN_P_INTS, "0", "shift of the structure, one or one per axis", NULL},
	{NULL, CRN_P_END, NULL, NULL, NULL},
};

typedef struct request {
	const char *name;
	crn_value structure; /* bool CONST, owned */
	int64_t origin[CRN_MAX_NDIM];
	int64_t iterations;
	bool border;
} request;

static void request_done(request *r)
{
	crn_value_clear(&r->structure);
}

static cairn_status read_args(
	const crn_op *self, const crn_value *args, request *ret, cairn_error *err)
{
	int ndim = args[INPUT].node->type.ndim;
	crn_const *structure = NULL;
	ret->name = self->name;
	if (ndim < 1)
		return crn_fail(err, CAIRN_USAGE, "%s: the input has no axes", self->name);
	if (args[STRUCTURE].kind == CRN_V_NONE) {
		CRN_TRY(crn_const_cross(ndim, 1, &structure, err));
	} else if (args[STRUCTURE].c->ndim != ndim) {
		cairn_status status =
			crn_fail(err, CAIRN_USAGE, "%s: structure has %d axes, input has %d",
				self->name, args[STRUCTURE].c->ndim, ndim);
		crn_hint(err, "disk and rectangle have 2 axes, ball and cube have 3, box has any");
		return status;
	} else {
		CRN_TRY(crn_const_nonzero(args[STRUCTURE].c, &structure, err));
	}
	ret->structure = crn_value_const(structure);
	CRN_TRY(crn_args_ints(&args[ORIGIN], ndim, ret->origin, "origin", err));
	ret->iterations = args[ITERATIONS].i;
	ret->border = args[BORDER].i != 0;
	if (ret->iterations >= 1 && ret->iterations <= MAX_ITERATIONS)
		return CAIRN_OK;
	cairn_status status = crn_fail(err, CAIRN_USAGE, "%s: iterations=%lld; allowed are 1 to %d",
		self->name, (long long)ret->iterations, MAX_ITERATIONS);
	crn_hint(err,
		"repeating until nothing changes needs the whole array at once; give a number");
	return status;
}

/* Replaces *at by n erosions or dilations of it. */
static cairn_status apply(
	crn_graph *g, const request *r, bool dilate, crn_node **at, cairn_error *err)
{
	for (int64_t i = 0; i < r->iterations; i++) {
		crn_node *next = NULL;
		CRN_TRY((dilate ? crn_build_dilation : crn_build_erosion)(
			g, *at, r->structure.c, r->origin, r->border, &next, err));
		crn_node_unref(*at);
		*at = next;
	}
	return CAIRN_OK;
}

/* `steps`: e for erosions, d for dilations, in order. */
static cairn_status build_steps(crn_graph *g, const crn_op *self, const crn_value *args,
	const char *steps, crn_value *ret, cairn_error *err)
{
	CRN_CLEANUP(request_done) request r = {0};
	CRN_TRY(read_args(self, args, &r, err));
	CRN_NODE *at = NULL;
	CRN_TRY(crn_filter_convert(g, args[INPUT].node, CRN_BOOL, "nonzero", &at, err));
	for (; *steps; steps++)
		CRN_TRY(apply(g, &r, *steps == 'd', &at, err));
	*ret = crn_value_node(crn_steal(&at));
	return CAIRN_OK;
}

#define BUILD(name, steps) \
	static cairn_status build_##name(crn_graph *g, const crn_op *self, const crn_value *args, \
		crn_value *ret, cairn_error *err) \
	{ \
		return build_steps(g, self, args, steps, ret, err); \
	}
BUILD(erosion, "e")
BUILD(dilation, "d")
BUILD(opening, "ed")
BUILD(closing, "de")

static const char doc[] =
	"Voxels outside the array count as border_value, in every iteration: with the default 0 an "
	"erosion (and the second half of a closing) eats from the border, as in scipy.ndimage; "
	"scikit-image's closing does not. iterations < 1 (until nothing changes) is not available.";

#define MORPHOLOGY(x, text) \
	const crn_op crn_op_binary_##x = { \
		.name = "binary_" #x, \
		.category = "morphology", \
		.summary = text, \
		.doc = doc, \
		.source = "scipy.ndimage.binary_" #x, \
		.example = "binary_" #x "(random((20, 30, 30)) > 0.3, ball(1))", \
		.kind = CRN_COMPOSITE, \
		.semver = 1, \
		.params = params, \
		.build = build_##x, \
	}

MORPHOLOGY(closing, "Dilation, then erosion: closes gaps and holes smaller than the structure.");
MORPHOLOGY(dilation, "Sets voxels where the structure meets any set voxel.");
MORPHOLOGY(erosion, "Keeps voxels where all voxels under the structure are set.");
MORPHOLOGY(opening, "Erosion, then dilation: removes what is smaller than the structure.");
