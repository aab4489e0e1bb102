"""Machine instructions that numba has no name for: compare and swap, fetch and add, prefetch.

The arrays are one-dimensional and contiguous; the index is not checked.
"""

# mypy: disable-error-code="no-untyped-def,no-untyped-call,misc"
# numba's intrinsics have no types of their own: each receives typing contexts and LLVM builders.

from __future__ import annotations

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic


def _pointer(context, builder, array_type, array, index):
    made = context.make_array(array_type)(context, builder, array)
    return cgutils.get_item_pointer(context, builder, array_type, made, [index], wraparound=False)


@intrinsic
def load(typingctx, cells, index):
    """Return cells[index]; numba's own indexing asks first whether the index is negative."""
    signature = cells.dtype(cells, types.int64)

    def generate(context, builder, signature, arguments):
        return builder.load(_pointer(context, builder, signature.args[0], *arguments))

    return signature, generate


@intrinsic
def store(typingctx, cells, index, value):
    """Write cells[index], as `load` reads it."""
    signature = types.void(cells, types.int64, cells.dtype)

    def generate(context, builder, signature, arguments):
        array, index, value = arguments
        builder.store(value, _pointer(context, builder, signature.args[0], array, index))
        return context.get_dummy_value()

    return signature, generate


@intrinsic
def compare_and_swap(typingctx, cells, index, expected, wanted):
    """Store `wanted` in cells[index] if `expected` stands there; return what stood there."""
    cell = cells.dtype
    signature = cell(cells, types.int64, types.int64, types.int64)

    def generate(context, builder, signature, arguments):
        array, index, expected, wanted = arguments
        pointer = _pointer(context, builder, signature.args[0], array, index)
        kind = pointer.type.pointee
        if kind.width < 64:
            expected, wanted = builder.trunc(expected, kind), builder.trunc(wanted, kind)
        result = builder.cmpxchg(pointer, expected, wanted, "seq_cst", "seq_cst")
        return builder.extract_value(result, 0)

    return signature, generate


@intrinsic
def fetch_and_add(typingctx, cells, index, amount):
    """Add to cells[index]; return what stood there before."""
    signature = types.int64(cells, types.int64, types.int64)

    def generate(context, builder, signature, arguments):
        array, index, amount = arguments
        pointer = _pointer(context, builder, signature.args[0], array, index)
        return builder.atomic_rmw("add", pointer, amount, "seq_cst")

    return signature, generate


@intrinsic
def prefetch(typingctx, cells, index):
    """Ask for the cache line of cells[index]."""
    signature = types.void(cells, types.int64)

    def generate(context, builder, signature, arguments):
        array, index = arguments
        pointer = _pointer(context, builder, signature.args[0], array, index)
        byte, int32 = ir.IntType(8).as_pointer(), ir.IntType(32)
        kind = ir.FunctionType(ir.VoidType(), [byte, int32, int32, int32])
        function = cgutils.get_or_insert_function(builder.module, kind, "llvm.prefetch.p0")
        hints = [ir.Constant(int32, hint) for hint in (0, 0, 1)]
        builder.call(function, [builder.bitcast(pointer, byte), *hints])
        return context.get_dummy_value()

    return signature, generate


@intrinsic
def bit_length(typingctx, word):
    """Return the number of bits of a word that is not negative."""
    signature = types.int64(types.int64)

    def generate(context, builder, signature, arguments):
        zeros = builder.ctlz(arguments[0], ir.Constant(ir.IntType(1), 0))
        return builder.sub(ir.Constant(ir.IntType(64), 64), zeros)

    return signature, generate


GROUP_BYTES = 64
"""Bytes of a group of cells: a cache line."""


EMPTY_SHIFT = 16
"""Where the bits of the empty cells stand in what `lanes_with` returns."""


@intrinsic
def lanes_with(typingctx, cells, index, value):
    """Return which cells of the group that begins at cells[index] hold a value, as bits.

    Above them, from EMPTY_SHIFT on, stand the bits of those that hold 0.  Both are about one look
    at the group: were it looked at twice, another thread could put the value between the two into
    what was empty at the first.
    """
    signature = types.int64(cells, types.int64, types.int64)

    def generate(context, builder, signature, arguments):
        array, index, value = arguments
        pointer = _pointer(context, builder, signature.args[0], array, index)
        kind = pointer.type.pointee
        lanes = GROUP_BYTES * 8 // kind.width
        vector = ir.VectorType(kind, lanes)
        group = builder.load(builder.bitcast(pointer, vector.as_pointer()), align=kind.width // 8)
        if kind.width < 64:
            value = builder.trunc(value, kind)
        one = builder.insert_element(
            ir.Constant(vector, ir.Undefined), value, ir.Constant(ir.IntType(32), 0)
        )
        zeros = ir.Constant(ir.VectorType(ir.IntType(32), lanes), [0] * lanes)
        values = builder.shuffle_vector(one, ir.Constant(vector, ir.Undefined), zeros)

        def bits(other):
            equal = builder.icmp_unsigned("==", group, other)
            return builder.zext(builder.bitcast(equal, ir.IntType(lanes)), ir.IntType(64))

        empty = bits(ir.Constant(vector, [0] * lanes))
        return builder.or_(
            bits(values), builder.shl(empty, ir.Constant(ir.IntType(64), EMPTY_SHIFT))
        )

    return signature, generate


@intrinsic
def lowest_bit(typingctx, word):
    """Return the place of the lowest bit that is set in a word that is not 0."""
    signature = types.int64(types.int64)

    def generate(context, builder, signature, arguments):
        return builder.cttz(arguments[0], ir.Constant(ir.IntType(1), 1))

    return signature, generate
