/* SPDX-License-Identifier: Apache-2.0
 *
 * elementwise_build.h -- what all elementwise ops share: type rules, casts, broadcasting, hooks.
 *
 * After building, every elementwise node is canonical: its inputs are arrays of exactly the dtype
 * its kernel takes (casts are nodes of their own, numbers have become 0-d constants), and only
 * their shapes differ, by broadcasting. infer and bind rely on that.
 *
 * Type rules (NumPy's, with NEP 50's weak numbers): arrays promote by crn_dtype_promote; a number
 * written in the pipeline takes the arrays' dtype when its kind allows (bool < int < float), else
 * it makes bool arrays int64 and integer arrays float64. An integer that does not fit the arrays'
 * dtype is refused. Division: see crn_divide_dtype().
 */
#ifndef CRN_OPS_ELEMENTWISE_BUILD_H
#define CRN_OPS_ELEMENTWISE_BUILD_H

#include "core/op.h"
#include "kernels/elementwise_kernels.h"

/** How an op chooses the common dtype of its operands, and its result. */
typedef enum crn_ew_rule {
	CRN_RULE_NUMBER = 0,       /* common dtype, bool included */
	CRN_RULE_NO_BOOL = 1,      /* bool arrays are refused (subtract, negative) */
	CRN_RULE_BOOL_IS_INT8 = 2, /* bool arrays count as int8 (floor_divide, mod, power) */
	CRN_RULE_DIVIDE = 3,       /* crn_divide_dtype */
	CRN_RULE_BITS = 4,         /* bool and integers only */
	CRN_RULE_COMPARE = 5,      /* common dtype in, bool out; weak integers compare exactly */
} crn_ew_rule;

/** op(args[0], args[1]) for arrays and numbers; two numbers give a number. */
CRN_CHECKED cairn_status crn_ew_build2(crn_graph *g, const crn_op *self, crn_ew kernel,
	crn_ew_rule rule, const crn_value *args, crn_value *ret, cairn_error *err);
/** op(args[0]). */
CRN_CHECKED cairn_status crn_ew_build1(crn_graph *g, const crn_op *self, crn_ew kernel,
	crn_ew_rule rule, const crn_value *args, crn_value *ret, cairn_error *err);

/** Common dtype of operands of which at least one is an array. */
crn_dtype crn_operands_dtype(const crn_value *const *operands, int n);
/** Dtype of a quotient, and of sqrt, exp, log: floats promote; integers and bool up to 16 bits give
 * float32, wider ones float64; weak integers do not widen, a weak float makes integers float64. */
crn_dtype crn_divide_dtype(const crn_value *const *operands, int n);
/** The operand as an array value of `dtype`: a cast, or a 0-d constant. USAGE if it does not
 * fit. */
CRN_CHECKED cairn_status crn_operand_as(crn_graph *g, const crn_op *op, const crn_value *operand,
	crn_dtype dtype, crn_value *ret, cairn_error *err);
/** n.astype(dtype); the node itself (a new reference) if it has that dtype. */
CRN_CHECKED cairn_status crn_build_cast(
	crn_graph *g, crn_node *n, crn_dtype dtype, crn_node **ret, cairn_error *err);
/** 0-d constant. */
CRN_CHECKED cairn_status crn_build_constant(
	crn_graph *g, crn_dtype dtype, crn_elem value, crn_node **ret, cairn_error *err);
/** op(args) as a value, for builders that end in one node. */
CRN_CHECKED cairn_status crn_make_value(
	crn_graph *g, const crn_op *op, const crn_value *args, crn_value *ret, cairn_error *err);

/** Arithmetic on numbers written in the pipeline, with Python's meaning (7 / 2 is 3.5); integers
 * past 64 bits and division by zero are USAGE. b is NULL for unary ops. */
CRN_CHECKED cairn_status crn_fold_numbers(const crn_op *op, crn_ew kernel, const crn_value *a,
	const crn_value *b, crn_value *ret, cairn_error *err);

/** Broadcast shape, axes of the inputs, dtype and kind of the result. */
CRN_CHECKED cairn_status crn_ew_infer_dtype(
	const crn_node *n, crn_dtype dtype, crn_type *ret, cairn_error *err);
/** infer hooks: the dtype of the last input, or bool. */
CRN_CHECKED cairn_status crn_ew_infer(const crn_node *n, crn_type *ret, cairn_error *err);
CRN_CHECKED cairn_status crn_ew_infer_mask(const crn_node *n, crn_type *ret, cairn_error *err);
/** The row function of a kernel for a dtype, wherever it lives; NULL if there is none. */
crn_row_fn crn_ew_row(crn_isa isa, crn_ew kernel, crn_dtype t);
/** bind: the kernel for the dtype of the last input. */
CRN_CHECKED cairn_status crn_ew_bind(
	const crn_node *n, crn_isa isa, crn_ew kernel, crn_bound *ret, cairn_error *err);

/** Defines build_<id> and bind_<id> of an op with one kernel and a type rule. */
#define CRN_EW_HOOKS(id, n_operands, kernel, rule) \
	static cairn_status build_##id(crn_graph *g, const crn_op *self, const crn_value *args, \
		crn_value *ret, cairn_error *err) \
	{ \
		return crn_ew_build##n_operands(g, self, kernel, rule, args, ret, err); \
	} \
	static cairn_status bind_##id( \
		const crn_node *n, crn_isa isa, crn_bound *ret, cairn_error *err) \
	{ \
		return crn_ew_bind(n, isa, kernel, ret, err); \
	}

/* Parameter tables of unary and binary ops. */
extern const crn_param crn_ew_params1[], crn_ew_params2[];

#endif
