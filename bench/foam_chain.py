"""foam_chain.py -- the lecture's chain on a foam of 100 x 400 x 400 voxels, to the number and sizes of the bubbles.

gaussian (3, 6, 6) of 1 - foam, > 0.9, erosion by ball(12), label, sizes. Peers: scipy on whole arrays;
dask with map_overlap for the two filters (two threads), label and sizes by scipy; and the best chain
one can assemble by hand in Python from OpenCV and vigra (foam_peers.py).
"""
from foam_peers import check_and_race

check_and_race("foam chain 100x400x400", shape=None, bars={"scipy": 30, "dask": 40, "hand": 8},
	core_seconds=0.3)
