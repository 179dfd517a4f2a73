/* SPDX-License-Identifier: Apache-2.0
 *
 * make_foam.c -- writes a synthetic foam with a known number of bubbles, for the demo and the
 *tests.
 *
 *	make-foam foam.npy [BUBBLES [SEED]]
 *
 * The volume is 100 x 400 x 400 uint8 (z, y, x): bright walls (about 220 of 255) and dark round
 * bubbles (about 8) with radii of 24 to 31 voxels, at least 4 voxels apart and wholly inside, all
 * under uniform noise of +-8. A bubble is wide enough that smoothing with sigma (3, 6, 6) and an
 * erosion by ball(12) leave one core of it, so the lecture's chain must count exactly BUBBLES.
 * The same arguments give the same bytes on every machine: no floating point is involved.
 * Prints the number of bubbles. Fails (exit 1) when so many do not fit or the file cannot be
 *written.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
	NZ = 100,
	NY = 400,
	NX = 400,
	MIN_RADIUS = 24,
	MAX_RADIUS = 31,
	GAP = 4,
	MAX_BUBBLES = 64,
	MAX_TRIES = 2000000,
	WALL = 220,
	AIR = 8,
	NOISE = 8,
	NPY_HEADER = 128,
};

typedef struct bubble {
	int z, y, x, radius;
} bubble;

static uint64_t state;

/* xorshift64* (Vigna 2016); uniform enough for a picture. */
static uint32_t next_random(uint32_t below)
{
	state ^= state >> 12;
	state ^= state << 25;
	state ^= state >> 27;
	return (uint32_t)((state * 0x2545f4914f6cdd1du) >> 32) % below;
}

static int inside(int radius, int extent)
{
	return radius + 2 + (int)next_random((uint32_t)(extent - 2 * (radius + 2)));
}

static int fits(const bubble *all, int n, const bubble *b)
{
	for (int i = 0; i < n; i++) {
		int dz = all[i].z - b->z, dy = all[i].y - b->y, dx = all[i].x - b->x;
		int apart = all[i].radius + b->radius + GAP;
		if (dz * dz + dy * dy + dx * dx < apart * apart)
			return 0;
	}
	return 1;
}

/* Random sequential addition: draw, keep if it fits. Returns how many were placed. */
static int place(bubble *all, int wanted)
{
	int n = 0;
	for (int tries = 0; n < wanted && tries < MAX_TRIES; tries++) {
		bubble b = {.radius = MIN_RADIUS + (int)next_random(MAX_RADIUS - MIN_RADIUS + 1)};
		b.z = inside(b.radius, NZ);
		b.y = inside(b.radius, NY);
		b.x = inside(b.radius, NX);
		if (fits(all, n, &b))
			all[n++] = b;
	}
	return n;
}

static void carve(uint8_t *volume, const bubble *b)
{
	for (int dz = -b->radius; dz <= b->radius; dz++)
		for (int dy = -b->radius; dy <= b->radius; dy++)
			for (int dx = -b->radius; dx <= b->radius; dx++)
				if (dz * dz + dy * dy + dx * dx <= b->radius * b->radius)
					volume[((b->z + dz) * NY + b->y + dy) * NX + b->x + dx] =
						AIR;
}

static int write_npy(const char *path, const uint8_t *volume, size_t n)
{
	char header[NPY_HEADER + 1];
	int length = snprintf(header, sizeof(header),
		"\x93NUMPY\x01%c%c%c{'descr': '|u1', 'fortran_order': False, 'shape': (%d, %d, "
		"%d), }",
		1, NPY_HEADER - 10, 1, NZ, NY, NX);
	header[7] = 0; /* version 1.0 */
	header[9] = 0; /* high byte of the header's length */
	memset(header + length, ' ', (size_t)(NPY_HEADER - length));
	header[NPY_HEADER - 1] = '\n';
	FILE *f = fopen(path, "wb");
	if (!f)
		return 0;
	int good = fwrite(header, 1, NPY_HEADER, f) == NPY_HEADER && fwrite(volume, 1, n, f) == n;
	return (fclose(f) == 0) && good;
}

int main(int argc, char **argv)
{
	int wanted = argc > 2 ? (int)strtol(argv[2], NULL, 10) : 42;
	state = argc > 3 ? strtoull(argv[3], NULL, 10) : 2021;
	if (argc < 2 || argc > 4 || wanted < 1 || wanted > MAX_BUBBLES || state == 0) {
		fprintf(stderr, "usage: make-foam OUT.npy [BUBBLES 1..%d [SEED 1..]]\n",
			MAX_BUBBLES);
		return 2;
	}
	bubble all[MAX_BUBBLES];
	if (place(all, wanted) < wanted) {
		fprintf(stderr, "make-foam: %d bubbles do not fit; try fewer\n", wanted);
		return 1;
	}
	size_t n = (size_t)NZ * NY * NX;
	uint8_t *volume = malloc(n);
	if (!volume) {
		fprintf(stderr, "make-foam: out of memory\n");
		return 1;
	}
	memset(volume, WALL, n);
	for (int i = 0; i < wanted; i++)
		carve(volume, &all[i]);
	for (size_t i = 0; i < n; i++)
		volume[i] = (uint8_t)(volume[i] - NOISE + (int)next_random(2 * NOISE + 1));
	int good = write_npy(argv[1], volume, n);
	free(volume);
	if (!good) {
		fprintf(stderr, "make-foam: cannot write %s\n", argv[1]);
		return 1;
	}
	printf("%d\n", wanted);
	return 0;
}
