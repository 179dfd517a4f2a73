/* SPDX-License-Identifier: Apache-2.0
 *
 * hash.h -- 128-bit content hashes (XXH3) and 64-bit checksums (XXH3-64).
 *
 * Not cryptographic: they name equal computations and catch torn or rotten bytes.
 * The hash of typed data is fed field by field (never whole structs: padding is not content).
 */
#ifndef CRN_BASE_HASH_H
#define CRN_BASE_HASH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct crn_hash {
	uint64_t hi, lo;
} crn_hash;

/** Streaming state; ~600 bytes on the stack, no heap. */
typedef struct crn_hasher {
	_Alignas(64) unsigned char opaque[640];
} crn_hasher;

void crn_hasher_init(crn_hasher *h);
void crn_hash_bytes(crn_hasher *h, const void *bytes, size_t n);
void crn_hash_u64(crn_hasher *h, uint64_t v);
void crn_hash_text(crn_hasher *h, const char *text); /* length first, so "ab","c" != "a","bc" */
crn_hash crn_hasher_result(const crn_hasher *h);

uint64_t crn_checksum(const void *bytes, size_t n);

static inline bool crn_hash_equal(crn_hash a, crn_hash b)
{
	return a.hi == b.hi && a.lo == b.lo;
}
/** 32 hex digits and a terminator. Returns `text`. */
char *crn_hash_hex(crn_hash h, char text[33]);

#endif
