#!/usr/bin/env python3
"""Writes src/train/testdata/event_goldens.json with tensorboard's own protocol buffers and record writer; or, given a
directory of event files, reads it back with tensorboard and prints what it shows: {tag: [[step, value], ...]}.

    event_goldens.py            needs the package tensorboard
    event_goldens.py DIRECTORY  the same
"""
import io
import json
import pathlib
import sys

from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from tensorboard.compat.proto import event_pb2, summary_pb2, tensor_pb2, tensor_shape_pb2
from tensorboard.summary.writer.record_writer import RecordWriter


def record(event):
    out = io.BytesIO()
    RecordWriter(out).write(event.SerializeToString())
    return out.getvalue().hex()


def write():
    text = summary_pb2.Summary.Value(
        tag="sample/the ",
        metadata=summary_pb2.SummaryMetadata(plugin_data=summary_pb2.SummaryMetadata.PluginData(plugin_name="text")),
        tensor=tensor_pb2.TensorProto(
            dtype=7, string_val=["the sum\nis \u0645".encode()],
            tensor_shape=tensor_shape_pb2.TensorShapeProto(dim=[tensor_shape_pb2.TensorShapeProto.Dim(size=1)])))
    scalar = summary_pb2.Summary.Value(tag="train/loss", simple_value=2.75)
    goldens = {
        "version": record(event_pb2.Event(wall_time=1.5, file_version="brain.Event:2")),
        "start": record(event_pb2.Event(wall_time=2.25, step=11,
                                        session_log=event_pb2.SessionLog(status=event_pb2.SessionLog.START))),
        "scalar": record(event_pb2.Event(wall_time=3.5, step=300, summary=summary_pb2.Summary(value=[scalar]))),
        "text": record(event_pb2.Event(wall_time=4.5, step=7, summary=summary_pb2.Summary(value=[text]))),
    }
    path = pathlib.Path(__file__).parents[2] / "src/train/testdata/event_goldens.json"
    path.write_text(json.dumps(goldens, indent=1) + "\n")


def read(directory):
    events = EventAccumulator(directory, size_guidance={"scalars": 0, "tensors": 0})
    events.Reload()
    shown = {tag: [[e.step, e.value] for e in events.Scalars(tag)] for tag in events.Tags()["scalars"]}
    for tag in events.Tags()["tensors"]:
        shown[tag] = [[e.step, e.tensor_proto.string_val[0].decode()] for e in events.Tensors(tag)]
    print(json.dumps(shown))


if len(sys.argv) > 1:
    read(sys.argv[1])
else:
    write()
