#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Prints median_networks.h: compare-exchange lists that leave the median of n values in place.

Two constructions, and the one with fewer minimum and maximum operations wins:
  merge:  Batcher's odd-even merge sort, without the exchanges the middle value does not depend on;
  forget: of n // 2 + 2 values neither the least nor the greatest can be the median; drop both, take
          the next value in, repeat.
Each list is checked on all 2^n inputs of 0 and 1 for n = 9 (which proves it), and on random ones.
"""
import itertools
import random


def merge_list(n):
    ce, p = [], 1
    while p < n:
        k = p
        while k >= 1:
            for j in range(k % p, n - k, 2 * k):
                for i in range(min(k, n - j - k)):
                    if (i + j) // (2 * p) == (i + j + k) // (2 * p):
                        ce.append((i + j, i + j + k))
            k //= 2
        p *= 2
    return ce, n // 2


def forget_list(n):
    ce, live, taken = [], list(range(n // 2 + 2)), n // 2 + 2
    while True:
        k = len(live)
        ce += [(live[i], live[k - 1 - i]) for i in range(k // 2)]
        ce += [(live[0], x) for x in live[1:(k + 1) // 2]]
        ce += [(x, live[-1]) for x in live[k // 2:-1]]
        live = live[1:-1]
        if taken < n:
            live.append(taken)
            taken += 1
        elif len(live) == 1:
            return ce, live[0]


def pruned(ce, out):
    """The exchanges that `out` depends on, and how many minima and maxima they take."""
    wanted, kept, n_ops = {out}, [], 0
    for a, b in reversed(ce):
        n = (a in wanted) + (b in wanted)
        if n:
            n_ops += n
            kept.append((a, b))
            wanted |= {a, b}
    return n_ops, kept[::-1]


def median_of(ce, out, v):
    v = list(v)
    for a, b in ce:
        if v[a] > v[b]:
            v[a], v[b] = v[b], v[a]
    return v[out]


rng = random.Random(1)
print("""/* SPDX-License-Identifier: Apache-2.0
 *
 * median_networks.h -- compare-exchange lists for the median of 9, 25 and 27 values.
 *
 * CE(a, b) puts the smaller of v##a and v##b into v##a, the larger into v##b. Made and checked by
 * make_median_networks.py.
 */
#ifndef CRN_KERNELS_MEDIAN_NETWORKS_H
#define CRN_KERNELS_MEDIAN_NETWORKS_H

/* clang-format off */
""")
for n in (9, 25, 27):
    n_ops, ce, out = min((*pruned(*make(n)), make(n)[1]) for make in (merge_list, forget_list))
    inputs = itertools.product((0, 1), repeat=n) if n == 9 else (
        [rng.randrange(12) for _ in range(n)] for _ in range(5000))
    assert all(median_of(ce, out, v) == sorted(v)[n // 2] for v in inputs)
    print(f"/* {len(ce)} exchanges, {n_ops} minima and maxima; the median ends in v{out}. */")
    print(f"#define CRN_MEDIAN_{n}_AT v{out}")
    print(f"#define CRN_MEDIAN_{n}(CE) \\")
    cells = [f"CE({a}, {b})" for a, b in ce]
    rows = [" ".join(cells[i:i + 8]) for i in range(0, len(cells), 8)]
    print(" \\\n".join("\t" + row for row in rows) + "\n")
print("/* clang-format on */\n\n#endif")
