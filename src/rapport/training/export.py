"""Writes a fine-tuned model as ONNX for onnxruntime, its weights in 8 bits (or 4).

The graph is written out here operator by operator, so that each is one that onnxruntime runs fused on a CPU, and so
that every row is computed by itself: weights carry one scale for each block of 32, activations are scaled block by
block within a row when they are multiplied (`accuracy_level` 4 of MatMulNBits). What else is in a batch, and how far a
row is padded, so has no part in its answer; the usual dynamic quantisation takes one scale over the whole batch.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import onnx
from onnx import TensorProto, helper, numpy_helper

from rapport.training.encoder import ATTENTION_HEADS, EPSILON, Heads

Floats = npt.NDArray[np.float32]
#: Weights that share one scale.
BLOCK = 32
#: Domain of the operators that onnxruntime has beyond the standard.
MICROSOFT = "com.microsoft"


class Graph:
    """A graph that grows by one operator at a time; every operator here has one output, whose name it returns."""

    def __init__(self, bits: int) -> None:
        self.bits = bits
        self.nodes: list[onnx.NodeProto] = []
        self.weights: list[onnx.TensorProto] = []

    def keep(self, name: str, value: npt.NDArray[np.generic]) -> str:
        self.weights.append(numpy_helper.from_array(np.ascontiguousarray(value), name))
        return name

    def add(self, operator: str, *inputs: str, domain: str = "", **settings: object) -> str:
        name = f"{operator.lower()}_{len(self.nodes)}"
        self.nodes.append(helper.make_node(operator, list(inputs), [name], name=name, domain=domain, **settings))
        return name

    def dense(self, name: str, hidden: str, weight: Floats) -> str:
        """Multiply by a weight (out x in) in few bits, without its bias."""
        packed, scales = quantise_blocks(weight, self.bits)
        return self.add(
            "MatMulNBits", hidden, self.keep(f"{name}.weight", packed), self.keep(f"{name}.scale", scales),
            domain=MICROSOFT, K=weight.shape[1], N=weight.shape[0], bits=self.bits, block_size=BLOCK, accuracy_level=4,
        )  # fmt: skip


def quantise_blocks(weight: Floats, bits: int = 8) -> tuple[npt.NDArray[np.uint8], Floats]:
    """A weight (out x in) as unsigned numbers of 8 or 4 bits around the middle (out x blocks x bytes; of two numbers in
    a byte the first is the low half) and the scale of each block.
    """
    rows, columns = weight.shape
    middle = 1 << (bits - 1)
    blocks = weight.reshape(rows, columns // BLOCK, BLOCK)
    scales = np.maximum(np.abs(blocks).max(axis=2), 1e-8) / (middle - 1)
    numbers = np.clip(np.rint(blocks / scales[:, :, None]) + middle, 1, 2 * middle - 1).astype(np.uint8)
    packed = numbers if bits == 8 else numbers[:, :, ::2] | numbers[:, :, 1::2] << 4
    return packed, scales.astype(np.float32).reshape(-1)


def quantise_rows(table: Floats) -> tuple[npt.NDArray[np.int8], Floats]:
    """A table (words x width) as bytes and one scale a row (words x 1)."""
    scales = np.maximum(np.abs(table).max(axis=1, keepdims=True), 1e-8) / 127
    return np.rint(table / scales).astype(np.int8), scales.astype(np.float32)


def _embed(graph: Graph, weights: dict[str, Floats]) -> str:
    table, scales = quantise_rows(weights["encoder.words.weight"])
    words = graph.add("Cast", graph.add("Gather", graph.keep("words", table), "ids"), to=TensorProto.FLOAT)
    words = graph.add("Mul", words, graph.add("Gather", graph.keep("words.scale", scales), "ids"))
    length = graph.add("Gather", graph.add("Shape", "ids"), graph.keep("one", np.array([1])))
    places = graph.keep("places", weights["encoder.positions.weight"][:MAX_TOKENS] + weights["encoder.kind"])
    zero = graph.keep("zero", np.array([0]))
    hidden = graph.add("Add", words, graph.add("Slice", places, zero, length, zero))
    return _norm(graph, "encoder.norm", hidden, weights)


def _norm(graph: Graph, name: str, hidden: str, weights: dict[str, Floats]) -> str:
    scale, bias = (graph.keep(f"{name}.{part}", weights[f"{name}.{part}"]) for part in ("weight", "bias"))
    return graph.add("LayerNormalization", hidden, scale, bias, axis=-1, epsilon=EPSILON)


def _add_and_norm(graph: Graph, name: str, new: str, hidden: str, bias: str, weights: dict[str, Floats]) -> str:
    scale, shift = (graph.keep(f"{name}.{part}", weights[f"{name}.{part}"]) for part in ("weight", "bias"))
    return graph.add("SkipLayerNormalization", new, hidden, scale, shift, bias, domain=MICROSOFT, epsilon=EPSILON)


def _layer(graph: Graph, name: str, hidden: str, weights: dict[str, Floats]) -> str:
    parts = [f"{name}.{part}" for part in ("query", "key", "value")]
    bias = graph.keep(f"{name}.mix.bias", np.concatenate([weights[f"{part}.bias"] for part in parts]))
    queries, keys, values = (graph.dense(part, hidden, weights[f"{part}.weight"]) for part in parts)
    mixed = graph.add(
        "MultiHeadAttention", queries, keys, values, bias, "mask32", domain=MICROSOFT, num_heads=ATTENTION_HEADS
    )
    out = graph.dense(f"{name}.out", mixed, weights[f"{name}.out.weight"])
    out_bias = graph.keep(f"{name}.out.bias", weights[f"{name}.out.bias"])
    hidden = _add_and_norm(graph, f"{name}.out_norm", out, hidden, out_bias, weights)
    wide = graph.dense(f"{name}.up", hidden, weights[f"{name}.up.weight"])
    wide = graph.add("BiasGelu", wide, graph.keep(f"{name}.up.bias", weights[f"{name}.up.bias"]), domain=MICROSOFT)
    narrow = graph.dense(f"{name}.down", wide, weights[f"{name}.down.weight"])
    down_bias = graph.keep(f"{name}.down.bias", weights[f"{name}.down.bias"])
    return _add_and_norm(graph, f"{name}.down_norm", narrow, hidden, down_bias, weights)


#: The most tokens of a row.
MAX_TOKENS = 128


def to_onnx(model: Heads, bits: int = 8) -> onnx.ModelProto:
    """ids and mask (int64, rows x length) in; logits (float32, rows x classes of all tasks in their order) out."""
    weights = {name: value.detach().float().numpy() for name, value in model.state_dict().items()}
    graph = Graph(bits)
    mask = graph.add("Cast", "mask", to=TensorProto.INT32)
    graph.nodes[-1].output[0] = "mask32"
    hidden = _embed(graph, weights)
    for number in range(len(model.encoder.layers)):
        hidden = _layer(graph, f"encoder.layers.{number}", hidden, weights)
    share = graph.add("Cast", graph.add("Unsqueeze", "mask", graph.keep("last", np.array([2]))), to=TensorProto.FLOAT)
    axis = "one"
    total = graph.add("ReduceSum", graph.add("Mul", hidden, share), axis, keepdims=0)
    vector = graph.add("Div", total, graph.add("ReduceSum", share, axis, keepdims=0))
    heads = np.concatenate([weights[f"heads.{task}.weight"] for task in model.heads])
    biases = np.concatenate([weights[f"heads.{task}.bias"] for task in model.heads])
    graph.add("Gemm", vector, graph.keep("heads", heads), graph.keep("heads.bias", biases), transB=1)
    graph.nodes[-1].output[0] = "logits"
    del mask
    shapes = ["rows", "length"]
    made = helper.make_graph(
        graph.nodes,
        "rapport-deep",
        [helper.make_tensor_value_info(name, TensorProto.INT64, shapes) for name in ("ids", "mask")],
        [helper.make_tensor_value_info("logits", TensorProto.FLOAT, ["rows", len(biases)])],
        graph.weights,
    )
    opsets = [helper.make_opsetid("", 17), helper.make_opsetid(MICROSOFT, 1)]
    return helper.make_model(made, opset_imports=opsets, ir_version=9)
