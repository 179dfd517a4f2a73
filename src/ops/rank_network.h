/* SPDX-License-Identifier: Apache-2.0
 *
 * rank_network.h -- the plan of exchanges that finds one rank in a box, shared along x.
 *
 * A box of `column` voxels per x and `width` columns is seen as sorted lists of whole columns. Rows
 * hold one element of a list for a stretch of x, so that one exchange of two rows serves all
 *outputs of the stretch, and a list at x + s is the same rows read s items further on:
 *
 *	A1 = sort of a column          A2[x] = merge of A1[x], A1[x + 1]
 *	A4[x] = merge of A2[x], A2[x + 2]      ... and so on by doubling
 *	the answer for 7 columns: a rank of the union of A4[x] and A3[x + 4], A3 from A2 and A1
 *
 * Merging is Batcher's odd-even merge; what cannot reach the answer is left out of the plan. A rank
 * of two sorted lists needs no merge: it is the least over i + j = rank + 1 of
 * max(first[i - 1], second[j - 1]). (After Adams, "Fast median filters using separable sorting
 * networks", 2021.)
 */
#ifndef CRN_OPS_RANK_NETWORK_H
#define CRN_OPS_RANK_NETWORK_H

#include "base/err.h"
#include "kernels/order.h"

/** What to find, in which box. */
typedef struct crn_rank_box {
	int column, width; /* voxels of a column, columns */
	int rank;
	size_t item_size; /* of a key */
} crn_rank_box;

/** Largest box a plan is made for. */
enum { CRN_RANK_NETWORK_MOST = 1024 };

/** Bytes of a row, outputs of a stretch, and bytes of all rows: functions of the box alone. */
int crn_rank_network_row(const crn_rank_box *box);
int64_t crn_rank_network_stretch(const crn_rank_box *box);
size_t crn_rank_network_memory(const crn_rank_box *box);

/** Builds the plan, one piece of memory, freed with crn_free. The column's rows come first. */
CRN_CHECKED cairn_status crn_rank_network_new(
	const crn_rank_box *box, crn_key_network **ret, cairn_error *err);

#endif
