"""Subjects that consumers photograph: a dented parcel, a leaking washer, a scratched car, a bicycle."""

import math

import numpy as np

from simulator.scenery.brush import Brush, Colour

SOCKS: tuple[Colour, ...] = ((222, 148, 34), (240, 240, 236), (34, 128, 96))


def parcel(brush: Brush, paint: Colour, progress: float) -> None:
    brush.oval(0.52, 0.97, 0.56, 0.05, (140, 122, 104))
    front, side, lid = (196, 148, 96), (166, 120, 74), (216, 172, 120)
    brush.shape([(0.02, 0.38), (0.66, 0.44), (0.66, 0.98), (0.02, 0.90)], front)
    brush.shape([(0.66, 0.44), (0.98, 0.34), (0.98, 0.84), (0.66, 0.98)], side)
    brush.shape([(0.02, 0.38), (0.36, 0.29), (0.98, 0.34), (0.66, 0.44)], lid)
    brush.shape([(0.29, 0.405), (0.40, 0.415), (0.66, 0.31), (0.57, 0.305)], (226, 206, 160))
    brush.shape([(0.29, 0.405), (0.40, 0.415), (0.40, 0.60), (0.29, 0.585)], (226, 206, 160))
    lift = 0.02 + 0.05 * progress
    brush.shape([(0.66, 0.44), (0.98, 0.34), (1.02, 0.34 - lift), (0.72, 0.43 - lift)], lid)
    dent = [(0.50, 0.70), (0.60, 0.64), (0.67, 0.70), (0.74, 0.80), (0.66, 0.92), (0.56, 0.86)]
    brush.shape(dent, (120, 84, 52))
    brush.shape([(0.54, 0.72), (0.60, 0.68), (0.65, 0.78), (0.60, 0.85)], (88, 60, 38))
    brush.line([(0.50, 0.70), (0.44, 0.64), (0.46, 0.60)], (120, 84, 52), 0.010)
    brush.line([(0.56, 0.86), (0.48, 0.90)], (120, 84, 52), 0.010)
    brush.shape([(0.06, 0.66), (0.26, 0.68), (0.26, 0.86), (0.06, 0.835)], (246, 244, 238))
    for bar in range(7):
        x = 0.08 + bar * 0.024
        brush.line([(x, 0.69), (x, 0.76)], (40, 40, 44), 0.006 + 0.004 * (bar % 3))
    brush.line([(0.08, 0.795), (0.22, 0.81)], paint, 0.012)


def washer(brush: Brush, paint: Colour, progress: float) -> None:
    water, shine = (120, 170, 200), (176, 212, 230)
    spread = 0.34 + 0.30 * progress
    brush.oval(0.60, 0.985, spread, 0.055, water)
    brush.oval(0.54, 0.975, spread * 0.6, 0.025, shine)
    brush.box(0.12, 0.06, 0.86, 0.96, (250, 250, 250), 0.03)
    brush.box(0.80, 0.09, 0.86, 0.96, (224, 226, 230), 0.02)
    brush.box(0.12, 0.06, 0.86, 0.22, (232, 234, 238), 0.03)
    brush.box(0.16, 0.10, 0.38, 0.18, (206, 210, 216), 0.01)
    brush.disc(0.50, 0.14, 0.045, (180, 186, 194))
    angle = math.tau * (0.1 + progress)
    knob = (0.50 + 0.035 * math.cos(angle), 0.14 + 0.035 * math.sin(angle))
    brush.line([(0.50, 0.14), knob], (70, 76, 86), 0.012)
    brush.box(0.62, 0.105, 0.78, 0.175, (40, 52, 60), 0.01)
    brush.box(0.64, 0.125, 0.64 + 0.12 * (0.3 + 0.7 * progress), 0.155, (120, 220, 160))
    brush.disc(0.48, 0.56, 0.27, (190, 196, 204))
    brush.disc(0.48, 0.56, 0.21, (58, 74, 92))
    turned = [
        (0.48 + 0.19 * math.cos(a), 0.60 + 0.13 * math.sin(a))
        for a in np.linspace(0.15, math.pi - 0.15, 16).tolist()
    ]
    brush.shape(turned, (132, 182, 210))
    for sock, colour in enumerate((paint, *SOCKS)):
        turn = math.tau * (progress * 2 + sock / 4)
        x, y = 0.48 + 0.11 * math.cos(turn), 0.58 + 0.10 * math.sin(turn)
        brush.oval(x, y, 0.06, 0.035, colour)
    brush.ring(0.48, 0.56, 0.21, (150, 158, 168), 0.012)
    brush.line([(0.36, 0.44), (0.41, 0.40)], (220, 232, 240), 0.02)
    for drop in range(5):
        fall = (progress * 3 + drop / 5) % 1.0
        brush.oval(0.56 + 0.03 * drop, 0.79 + 0.19 * fall, 0.010, 0.018, water)
    brush.line([(0.55, 0.79), (0.70, 0.79)], water, 0.014)
    brush.shape([(0.92, 0.72), (1.16, 0.72), (1.12, 0.98), (0.96, 0.98)], (46, 120, 176))
    brush.oval(1.04, 0.72, 0.12, 0.022, (32, 92, 140))


def car(brush: Brush, paint: Colour, progress: float) -> None:
    dark = (paint[0] * 3 // 4, paint[1] * 3 // 4, paint[2] * 3 // 4)
    brush.oval(0.70, 0.985, 0.76, 0.035, (70, 70, 76))
    cabin = [(0.26, 0.64), (0.44, 0.42), (0.90, 0.42), (1.12, 0.64)]
    brush.shape(cabin, dark)
    brush.shape([(0.33, 0.63), (0.47, 0.46), (0.66, 0.46), (0.66, 0.63)], (178, 214, 232))
    brush.shape([(0.70, 0.63), (0.70, 0.46), (0.88, 0.46), (1.04, 0.63)], (178, 214, 232))
    brush.shape([(0.36, 0.62), (0.46, 0.50), (0.50, 0.50), (0.42, 0.62)], (220, 238, 246))
    brush.box(0.02, 0.62, 1.40, 0.88, paint, 0.06)
    brush.shape([(1.10, 0.62), (1.34, 0.66), (1.40, 0.74), (1.00, 0.70)], paint)
    brush.box(0.02, 0.80, 1.40, 0.88, dark, 0.03)
    brush.line([(0.68, 0.63), (0.68, 0.85)], dark, 0.010)
    brush.box(0.72, 0.69, 0.80, 0.71, dark, 0.008)
    brush.disc(1.36, 0.73, 0.035, (255, 240, 190))
    brush.box(0.015, 0.70, 0.06, 0.77, (220, 70, 60), 0.01)
    dent = [(0.40, 0.70), (0.50, 0.68), (0.58, 0.74), (0.54, 0.80), (0.44, 0.79)]
    brush.shape(dent, dark)
    brush.line([(0.36, 0.72), (0.60, 0.76)], (236, 232, 226), 0.008)
    brush.line([(0.40, 0.76), (0.56, 0.79)], (236, 232, 226), 0.006)
    for x in (0.30, 1.10):
        _wheel(brush, x, 0.88, 0.13, progress)


def _wheel(brush: Brush, x: float, y: float, radius: float, progress: float) -> None:
    brush.disc(x, y, radius, (34, 34, 38))
    brush.disc(x, y, radius * 0.62, (190, 194, 200))
    for spoke in range(5):
        angle = math.tau * (progress * 1.5 + spoke / 5)
        rim = (x + radius * 0.58 * math.cos(angle), y + radius * 0.58 * math.sin(angle))
        brush.line([(x, y), rim], (110, 114, 122), radius * 0.14)
    brush.disc(x, y, radius * 0.16, (80, 84, 92))


def bicycle(brush: Brush, paint: Colour, progress: float) -> None:
    rear, front, radius = (0.22, 0.72), (1.02, 0.72), 0.25
    brush.oval(0.62, 0.985, 0.70, 0.025, (76, 76, 82))
    for x, y in (rear, front):
        brush.ring(x, y, radius, (36, 36, 40), 0.030)
        for spoke in range(9):
            angle = math.tau * (progress + spoke / 9)
            rim = (x + 0.23 * math.cos(angle), y + 0.23 * math.sin(angle))
            brush.line([(x, y), rim], (206, 208, 212), 0.005)
        brush.disc(x, y, 0.024, (60, 60, 66))
    crank, head = (0.54, 0.72), (0.90, 0.34)
    for tube in ([rear, (0.45, 0.40), head, crank, rear], [(0.42, 0.34), crank], [head, front]):
        brush.line(tube, paint, 0.034)
    brush.line([head, (0.88, 0.24), (0.98, 0.20)], (48, 48, 54), 0.026)
    brush.shape([(0.32, 0.31), (0.52, 0.32), (0.52, 0.35), (0.36, 0.36)], (48, 40, 36))
    brush.ring(*crank, 0.075, (70, 70, 76), 0.018)
    turn = math.tau * (progress * 1.2 + 0.1)
    pedal = (crank[0] + 0.11 * math.cos(turn), crank[1] + 0.11 * math.sin(turn))
    brush.line([crank, pedal], (70, 70, 76), 0.020)
    brush.box(pedal[0] - 0.04, pedal[1] - 0.01, pedal[0] + 0.04, pedal[1] + 0.014, (40, 40, 44))
    brush.line([(0.62, 0.44), (0.70, 0.50), (0.66, 0.54)], (250, 246, 238), 0.010)
