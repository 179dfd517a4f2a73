/* SPDX-License-Identifier: Apache-2.0
 *
 * dtype.h -- the element types, their names, and NumPy's promotion rules.
 *
 * CRN_DTYPES is the one list: X(ENUM, C type, name, kind letter). Kernels instantiate over it.
 * bool is one byte holding 0 or 1 (masks are packed to bits only inside kernels).
 */
#ifndef CRN_CORE_DTYPE_H
#define CRN_CORE_DTYPE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CRN_DTYPES(X) \
	X(BOOL, uint8_t, bool, 'b') \
	X(U8, uint8_t, uint8, 'u') \
	X(U16, uint16_t, uint16, 'u') \
	X(U32, uint32_t, uint32, 'u') \
	X(U64, uint64_t, uint64, 'u') \
	X(I8, int8_t, int8, 'i') \
	X(I16, int16_t, int16, 'i') \
	X(I32, int32_t, int32, 'i') \
	X(I64, int64_t, int64, 'i') \
	X(F32, float, float32, 'f') \
	X(F64, double, float64, 'f')

typedef enum crn_dtype {
#define CRN_X(id, type, name, kind) CRN_##id,
	CRN_DTYPES(CRN_X)
#undef CRN_X
		CRN_N_DTYPES
} crn_dtype;

/** One element as raw native bytes, low-addressed: exact for every dtype, NaN payloads included. */
typedef struct crn_elem {
	unsigned char bytes[8];
} crn_elem;

size_t crn_dtype_size(crn_dtype t);
const char *crn_dtype_name(crn_dtype t); /* "uint8" */
char crn_dtype_kind(crn_dtype t);        /* 'b' bool, 'u', 'i', 'f' */
bool crn_dtype_is_integer(crn_dtype t);  /* u or i; not bool */
bool crn_dtype_is_float(crn_dtype t);
/** Accepts NumPy names ("uint8", "bool", "float32", also "float" = float64, "int" = int64). */
bool crn_dtype_from_name(const char *name, crn_dtype *ret);
/** numpy.promote_types: (uint8, int8) -> int16, (uint64, int64) -> float64, (bool, T) -> T. */
crn_dtype crn_dtype_promote(crn_dtype a, crn_dtype b);
/** Smallest and largest value of an integer or bool dtype (max as uint64). */
int64_t crn_dtype_min_int(crn_dtype t);
uint64_t crn_dtype_max_int(crn_dtype t);

/* Elements from and to C numbers; conversion as C does it, integers wrap, bool is v != 0. */
crn_elem crn_elem_from_double(crn_dtype t, double v);
crn_elem crn_elem_from_int(crn_dtype t, int64_t v);
crn_elem crn_elem_from_uint(crn_dtype t, uint64_t v);
double crn_elem_to_double(crn_dtype t, crn_elem e);
int64_t crn_elem_to_int(crn_dtype t, crn_elem e);
uint64_t crn_elem_to_uint(crn_dtype t, crn_elem e);
/** Shortest text that reads back to the same element: "0.1", "nan", "18446744073709551615". */
char *crn_elem_format(crn_dtype t, crn_elem e, char text[40]);

#endif
