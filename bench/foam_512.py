"""foam_512.py -- the foam chain of foam_chain.py on 512 x 512 x 512 voxels."""
from foam_peers import check_and_race

check_and_race("foam chain 512^3", shape=(512, 512, 512), bars={"scipy": 30, "dask": 40, "hand": 8})
