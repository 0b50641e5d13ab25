"""SGP4 beside python-sgp4's C++ path (PyPI: sgp4, numpy) on the same elements: compares states, then times both.

Usage: sgp4_speed.py BUILD/bench/bench_sgp4 FILE.tle
"""
import json
import statistics
import subprocess
import sys
import tempfile
import time

import numpy
from sgp4.api import WGS72, Satrec, SatrecArray, accelerated

program, path = sys.argv[1:3]
lines = [line.strip() for line in open(path)]
satellites = [Satrec.twoline2rv(a, b, WGS72) for a, b in zip(lines, lines[1:]) if a.startswith("1 ") and b.startswith("2 ")]
with tempfile.NamedTemporaryFile() as dump:
    ours = subprocess.run([program, path, dump.name], check=True, capture_output=True, text=True).stdout
    worst = 0
    for row in open(dump.name):
        s, minutes, error, *position = row.split()
        expected_error, expected, _ = satellites[int(s)].sgp4_tsince(float(minutes))
        assert int(error) == expected_error, row
        if expected_error == 0:
            worst = max(worst, *(abs(float(a) - b) for a, b in zip(position, expected)))
    assert worst < 1e-5, worst
print(json.dumps({"largest_difference_km": worst, "peer_is_compiled": accelerated}))
print(ours, end="")
some = satellites[:2000]
times = numpy.arange(512) * 2.5 / 1440
runs = []
for _ in range(7):
    begun = time.perf_counter()
    for satellite in some:
        satellite.sgp4_array(numpy.full(512, satellite.jdsatepoch), satellite.jdsatepochF + times)
    runs.append(time.perf_counter() - begun)
print(json.dumps({"what": "python-sgp4, one satellite, many times", "propagations_per_second": round(len(some) * 512 / statistics.median(runs))}))
array = SatrecArray(satellites)
runs = []
for _ in range(7):
    begun = time.perf_counter()
    array.sgp4(numpy.full(51, satellites[0].jdsatepoch), satellites[0].jdsatepochF + numpy.arange(51) / 1440)
    runs.append(time.perf_counter() - begun)
print(json.dumps({"what": "python-sgp4, many satellites", "propagations_per_second": round(len(satellites) * 51 / statistics.median(runs))}))
