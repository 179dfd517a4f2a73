/* SPDX-License-Identifier: Apache-2.0
 *
 * median_networks.h -- compare-exchange lists for the median of 9, 25 and 27 values.
 *
 * CE(a, b) puts the smaller of v##a and v##b into v##a, the larger into v##b. Made and checked by
 * make_median_networks.py.
 */
#ifndef CRN_KERNELS_MEDIAN_NETWORKS_H
#define CRN_KERNELS_MEDIAN_NETWORKS_H

/* clang-format off */

/* 20 exchanges, 32 minima and maxima; the median ends in v4. */
#define CRN_MEDIAN_9_AT v4
#define CRN_MEDIAN_9(CE) \
	CE(0, 5) CE(1, 4) CE(2, 3) CE(0, 1) CE(0, 2) CE(3, 5) CE(4, 5) CE(1, 6) \
	CE(2, 4) CE(1, 2) CE(1, 3) CE(3, 6) CE(4, 6) CE(2, 7) CE(3, 4) CE(2, 3) \
	CE(4, 7) CE(3, 8) CE(3, 4) CE(4, 8)

/* 113 exchanges, 202 minima and maxima; the median ends in v12. */
#define CRN_MEDIAN_25_AT v12
#define CRN_MEDIAN_25(CE) \
	CE(0, 1) CE(2, 3) CE(4, 5) CE(6, 7) CE(8, 9) CE(10, 11) CE(12, 13) CE(14, 15) \
	CE(16, 17) CE(18, 19) CE(20, 21) CE(22, 23) CE(0, 2) CE(1, 3) CE(4, 6) CE(5, 7) \
	CE(8, 10) CE(9, 11) CE(12, 14) CE(13, 15) CE(16, 18) CE(17, 19) CE(20, 22) CE(21, 23) \
	CE(1, 2) CE(5, 6) CE(9, 10) CE(13, 14) CE(17, 18) CE(21, 22) CE(0, 4) CE(1, 5) \
	CE(2, 6) CE(3, 7) CE(8, 12) CE(9, 13) CE(10, 14) CE(11, 15) CE(16, 20) CE(17, 21) \
	CE(18, 22) CE(19, 23) CE(2, 4) CE(3, 5) CE(10, 12) CE(11, 13) CE(18, 20) CE(19, 21) \
	CE(1, 2) CE(3, 4) CE(5, 6) CE(9, 10) CE(11, 12) CE(13, 14) CE(17, 18) CE(19, 20) \
	CE(21, 22) CE(0, 8) CE(1, 9) CE(2, 10) CE(3, 11) CE(4, 12) CE(5, 13) CE(6, 14) \
	CE(7, 15) CE(16, 24) CE(4, 8) CE(5, 9) CE(6, 10) CE(7, 11) CE(20, 24) CE(2, 4) \
	CE(3, 5) CE(6, 8) CE(7, 9) CE(10, 12) CE(11, 13) CE(18, 20) CE(19, 21) CE(22, 24) \
	CE(1, 2) CE(3, 4) CE(5, 6) CE(7, 8) CE(9, 10) CE(11, 12) CE(13, 14) CE(17, 18) \
	CE(19, 20) CE(21, 22) CE(23, 24) CE(0, 16) CE(1, 17) CE(2, 18) CE(3, 19) CE(4, 20) \
	CE(5, 21) CE(6, 22) CE(7, 23) CE(8, 24) CE(8, 16) CE(9, 17) CE(10, 18) CE(11, 19) \
	CE(12, 20) CE(13, 21) CE(6, 10) CE(7, 11) CE(12, 16) CE(13, 17) CE(10, 12) CE(11, 13) \
	CE(11, 12)

/* 126 exchanges, 226 minima and maxima; the median ends in v13. */
#define CRN_MEDIAN_27_AT v13
#define CRN_MEDIAN_27(CE) \
	CE(0, 1) CE(2, 3) CE(4, 5) CE(6, 7) CE(8, 9) CE(10, 11) CE(12, 13) CE(14, 15) \
	CE(16, 17) CE(18, 19) CE(20, 21) CE(22, 23) CE(24, 25) CE(0, 2) CE(1, 3) CE(4, 6) \
	CE(5, 7) CE(8, 10) CE(9, 11) CE(12, 14) CE(13, 15) CE(16, 18) CE(17, 19) CE(20, 22) \
	CE(21, 23) CE(24, 26) CE(1, 2) CE(5, 6) CE(9, 10) CE(13, 14) CE(17, 18) CE(21, 22) \
	CE(25, 26) CE(0, 4) CE(1, 5) CE(2, 6) CE(3, 7) CE(8, 12) CE(9, 13) CE(10, 14) \
	CE(11, 15) CE(16, 20) CE(17, 21) CE(18, 22) CE(19, 23) CE(2, 4) CE(3, 5) CE(10, 12) \
	CE(11, 13) CE(18, 20) CE(19, 21) CE(1, 2) CE(3, 4) CE(5, 6) CE(9, 10) CE(11, 12) \
	CE(13, 14) CE(17, 18) CE(19, 20) CE(21, 22) CE(25, 26) CE(0, 8) CE(1, 9) CE(2, 10) \
	CE(3, 11) CE(4, 12) CE(5, 13) CE(6, 14) CE(7, 15) CE(16, 24) CE(17, 25) CE(18, 26) \
	CE(4, 8) CE(5, 9) CE(6, 10) CE(7, 11) CE(20, 24) CE(21, 25) CE(22, 26) CE(2, 4) \
	CE(3, 5) CE(6, 8) CE(7, 9) CE(10, 12) CE(11, 13) CE(18, 20) CE(19, 21) CE(22, 24) \
	CE(23, 25) CE(1, 2) CE(3, 4) CE(5, 6) CE(7, 8) CE(9, 10) CE(11, 12) CE(13, 14) \
	CE(17, 18) CE(19, 20) CE(21, 22) CE(23, 24) CE(25, 26) CE(0, 16) CE(1, 17) CE(2, 18) \
	CE(3, 19) CE(4, 20) CE(5, 21) CE(6, 22) CE(7, 23) CE(8, 24) CE(9, 25) CE(10, 26) \
	CE(8, 16) CE(9, 17) CE(10, 18) CE(11, 19) CE(12, 20) CE(13, 21) CE(14, 22) CE(7, 11) \
	CE(12, 16) CE(13, 17) CE(14, 18) CE(11, 13) CE(14, 16) CE(13, 14)

/* clang-format on */

#endif
