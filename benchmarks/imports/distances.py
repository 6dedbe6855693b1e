"""How far two places lie apart, and how long light takes through fibre."""

from __future__ import annotations

from math import asin, cos, radians, sin, sqrt

EARTH_RADIUS_KM = 6371.0088
"""Mean radius (IUGG)."""

FIBRE_KM_PER_S = 299_792.458 / 1.468
"""Speed of light in single-mode fibre: that of the vacuum over the group index 1.468 at 1550 nm (Corning SMF-28 data
sheet): 204,218 km/s."""


def great_circle_km(one: tuple[float, float], other: tuple[float, float]) -> float:
    """Return the length of the great circle between two places, each latitude and longitude [degree] (haversine)."""
    (lat_1, lon_1), (lat_2, lon_2) = ([radians(angle) for angle in place] for place in (one, other))
    h = sin((lat_2 - lat_1) / 2) ** 2 + cos(lat_1) * cos(lat_2) * sin((lon_2 - lon_1) / 2) ** 2
    return 2 * EARTH_RADIUS_KM * asin(min(1.0, sqrt(h)))


def fibre_delay_s(length_km: float) -> float:
    """Return how long a bit takes through so much fibre, to six significant digits."""
    return float(f"{length_km / FIBRE_KM_PER_S:.6g}")
