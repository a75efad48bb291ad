"""Portable exp, log, normal quantile and product of words: the same bits on every CPU, in Python and compiled.

Only + - * / sqrt and exact scalings by powers of two are used, which IEEE 754 fixes to the last bit; libm's and numpy's
functions change with the machine. Branches are written as selects, so that a loop over them vectorises.
"""

from __future__ import annotations

import math
from collections.abc import Callable

from llvmlite import ir
from numba import types
from numba.extending import intrinsic, overload

from sim.entrepreneurs.compiled import rule

__all__ = ["exp", "log", "nearest", "normal", "product"]

_ROUND = 6755399441055744.0
"""1.5 x 2^52: adding and subtracting it rounds a float to the nearest whole number."""

_LN2_HIGH = 6.93147180369123816490e-01
_LN2_LOW = 1.90821492927058770002e-10


def scale(x: float, k: float) -> float:
    """x times 2^k for a whole k in [-1000, 1000]."""
    return math.ldexp(x, int(k))


def split(x: float) -> tuple[float, float]:
    """(m, k) with x = m 2^k and m in [1, 2), for a normal x above 0."""
    m, k = math.frexp(x)
    return m * 2.0, k - 1.0


def product(a: int, b: int) -> tuple[int, int]:
    """High and low word of the product of two words of 32 bits.

    Not ``a * b`` in compiled code: numba promises the optimiser that whole numbers do not overflow, and where the
    product has its 64th bit that promise is broken, and the optimiser may drop the bit.
    """
    whole = a * b
    return (whole >> 32) & 0xFFFFFFFF, whole & 0xFFFFFFFF


def _constant(value: int) -> ir.Constant:
    return ir.Constant(ir.IntType(64), value)


@intrinsic  # type: ignore[untyped-decorator]
def _scale(typingctx: object, x: object, k: object) -> tuple[object, Callable[..., object]]:
    def codegen(context: object, builder: ir.IRBuilder, signature: object, args: tuple[ir.Value, ...]) -> ir.Value:
        value, power = args
        whole = builder.bitcast(builder.fadd(power, ir.Constant(ir.DoubleType(), _ROUND)), ir.IntType(64))
        factor = builder.shl(builder.add(whole, _constant(1023)), _constant(52))
        return builder.fmul(value, builder.bitcast(factor, ir.DoubleType()))

    return types.float64(types.float64, types.float64), codegen


@intrinsic  # type: ignore[untyped-decorator]
def _split(typingctx: object, x: object) -> tuple[object, Callable[..., object]]:
    def codegen(context: object, builder: ir.IRBuilder, signature: object, args: tuple[ir.Value, ...]) -> ir.Value:
        bits = builder.bitcast(args[0], ir.IntType(64))
        mantissa = builder.or_(builder.and_(bits, _constant(0x000FFFFFFFFFFFFF)), _constant(0x3FF0000000000000))
        exponent = builder.or_(builder.lshr(bits, _constant(52)), _constant(0x4330000000000000))
        power = builder.fsub(
            builder.bitcast(exponent, ir.DoubleType()), ir.Constant(ir.DoubleType(), 4503599627370496.0 + 1023.0)
        )
        pair = ir.Constant(ir.ArrayType(ir.DoubleType(), 2), ir.Undefined)
        pair = builder.insert_value(pair, builder.bitcast(mantissa, ir.DoubleType()), 0)
        return builder.insert_value(pair, power, 1)

    return types.UniTuple(types.float64, 2)(types.float64), codegen


@intrinsic  # type: ignore[untyped-decorator]
def _product(typingctx: object, a: object, b: object) -> tuple[object, Callable[..., object]]:
    def codegen(context: object, builder: ir.IRBuilder, signature: object, args: tuple[ir.Value, ...]) -> ir.Value:
        whole = builder.mul(*args)
        pair = ir.Constant(ir.ArrayType(ir.IntType(64), 2), ir.Undefined)
        pair = builder.insert_value(pair, builder.lshr(whole, _constant(32)), 0)
        return builder.insert_value(pair, builder.and_(whole, _constant(0xFFFFFFFF)), 1)

    return types.UniTuple(types.int64, 2)(types.int64, types.int64), codegen


@overload(scale, inline="always", strict=False)  # type: ignore[untyped-decorator]
def _compiled_scale(x: object, k: object) -> Callable[..., object]:
    return lambda x, k: _scale(x, k)


@overload(split, inline="always", strict=False)  # type: ignore[untyped-decorator]
def _compiled_split(x: object) -> Callable[..., object]:
    return lambda x: _split(x)


@overload(product, inline="always", strict=False)  # type: ignore[untyped-decorator]
def _compiled_product(a: object, b: object) -> Callable[..., object]:
    return lambda a, b: _product(a, b)


@rule
def nearest(x: float) -> float:
    """The whole number nearest to x (ties to even), for |x| < 2^51."""
    return (x + _ROUND) - _ROUND


@rule
def exp(x: float) -> float:
    """e^x, within 2 units in the last place for x in [-600, 600]; x is clipped to that range."""
    x = min(max(x, -600.0), 600.0)
    k = nearest(x * 1.4426950408889634)
    r = (x - k * _LN2_HIGH) - k * _LN2_LOW
    p = 1.6059043836821613e-10
    p = p * r + 2.08767569878681e-09
    p = p * r + 2.505210838544172e-08
    p = p * r + 2.755731922398589e-07
    p = p * r + 2.7557319223985893e-06
    p = p * r + 2.48015873015873e-05
    p = p * r + 0.0001984126984126984
    p = p * r + 0.001388888888888889
    p = p * r + 0.008333333333333333
    p = p * r + 0.041666666666666664
    p = p * r + 0.16666666666666666
    p = p * r + 0.5
    p = p * r + 1.0
    p = p * r + 1.0
    return scale(p, k)


@rule
def log(x: float) -> float:
    """Natural logarithm, within 2 units in the last place (absolute 3e-16 near 1), for a normal x above 0."""
    m, k = split(x)
    upper = m > 1.4142135623730951
    m = m * 0.5 if upper else m
    k = k + 1.0 if upper else k
    f = m - 1.0
    s = f / (2.0 + f)
    z = s * s
    p = 1.479819860511658591e-01
    p = p * z + 1.531383769920937332e-01
    p = p * z + 1.818357216161805012e-01
    p = p * z + 2.222219843214978396e-01
    p = p * z + 2.857142874366239149e-01
    p = p * z + 3.999999999940941908e-01
    p = p * z + 6.666666666666735130e-01
    half = 0.5 * f * f
    return k * _LN2_HIGH - ((half - (s * (half + p * z) + k * _LN2_LOW)) - f)


@rule
def normal(u: float) -> float:
    """Quantile of the standard normal distribution for u in (0, 1): relative error below 1.2e-9 (Acklam 2003)."""
    q = u - 0.5
    r = q * q
    a = -3.969683028665376e01
    a = a * r + 2.209460984245205e02
    a = a * r - 2.759285104469687e02
    a = a * r + 1.383577518672690e02
    a = a * r - 3.066479806614716e01
    a = a * r + 2.506628277459239e00
    b = -5.447609879822406e01
    b = b * r + 1.615858368580409e02
    b = b * r - 1.556989798598866e02
    b = b * r + 6.680131188771972e01
    b = b * r - 1.328068155288572e01
    b = b * r + 1.0
    t = math.sqrt(-2.0 * log(min(u, 1.0 - u)))
    c = -7.784894002430293e-03
    c = c * t - 3.223964580411365e-01
    c = c * t - 2.400758277161838e00
    c = c * t - 2.549732539343734e00
    c = c * t + 4.374664141464968e00
    c = c * t + 2.938163982698783e00
    d = 7.784695709041462e-03
    d = d * t + 3.224671290700398e-01
    d = d * t + 2.445134137142996e00
    d = d * t + 3.754408661907416e00
    d = d * t + 1.0
    central = abs(q) <= 0.47575
    top = a * q if central else (c if q < 0.0 else -c)
    return top / (b if central else d)
