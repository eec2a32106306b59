-- Figures that the metric's file computes itself.
from observation
