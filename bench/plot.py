"""Line charts as SVG: a few series over a few points each, labelled at their ends."""

import html
import math

WIDTH, HEIGHT = 720, 400
LEFT, RIGHT, TOP, BOTTOM = 70, 190, 40, 50
COLOURS = ("#1f6feb", "#d1242f", "#1a7f37", "#8250df", "#bf8700", "#57606a", "#0a8a8a", "#c2438b")
MOST_NAMED_POINTS = 8  # so many values of x are named themselves, not round numbers
LABEL_DISTANCE = 14  # pixels between the labels of neighbouring series


class Axis:
    """Maps values onto pixels, linearly or by logarithms."""

    def __init__(self, values, first_pixel, last_pixel, logarithmic):
        self.scale = math.log10 if logarithmic else float
        low, high = min(map(self.scale, values)), max(map(self.scale, values))
        if not logarithmic:
            low, high = min(0.0, low), high * 1.05
        if high <= low:
            low, high = low - 0.5, high + 0.5
        self.low, self.high, self.logarithmic = low, high, logarithmic
        self.first_pixel, self.last_pixel = first_pixel, last_pixel

    def pixel(self, value):
        share = (self.scale(value) - self.low) / (self.high - self.low)
        return self.first_pixel + share * (self.last_pixel - self.first_pixel)

    def ticks(self):
        """Powers of ten with 2 and 5 between them, or round steps: about five of them."""
        if self.logarithmic:
            decades = range(math.floor(self.low), math.ceil(self.high) + 1)
            factors = (1, 2, 5) if self.high - self.low < 3 else (1,)
            values = [factor * 10.0**decade for decade in decades for factor in factors]
            return [value for value in values
                    if self.low - 1e-9 <= math.log10(value) <= self.high + 1e-9]
        step = 10.0 ** math.floor(math.log10((self.high - self.low) / 4))
        step *= next(factor for factor in (1, 2, 5, 10)
                     if (self.high - self.low) / (factor * step) <= 6)
        first = math.ceil(self.low / step)
        return [index * step for index in range(first, math.floor(self.high / step) + 1)]


def spread_labels(wanted):
    """Heights of labels near the wanted ones, in their order, that do not cover each other."""
    heights = []
    for height in wanted:
        heights.append(max(height, heights[-1] + LABEL_DISTANCE) if heights else height)
    return heights


def text(x, y, content, anchor="middle", **style):
    attributes = "".join(f' {name.replace("_", "-")}="{value}"' for name, value in style.items())
    return (f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}"{attributes}>'
            f"{html.escape(content)}</text>")


def line_chart(title, x_label, y_label, series, log_x=False, log_y=False):
    """`series`: names to lists of (x, y); positive values where an axis is logarithmic."""
    points = [point for line in series.values() for point in line]
    x_axis = Axis([x for x, _ in points], LEFT, WIDTH - RIGHT, log_x)
    y_axis = Axis([y for _, y in points], HEIGHT - BOTTOM, TOP, log_y)
    parts = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" '
             'font-family="sans-serif" font-size="12" fill="#24292f">',
             f'<rect width="{WIDTH}" height="{HEIGHT}" fill="white"/>',
             text(LEFT, 22, title, "start", font_size=15, font_weight="bold"),
             text((LEFT + WIDTH - RIGHT) / 2, HEIGHT - 12, x_label),
             text(16, (TOP + HEIGHT - BOTTOM) / 2, y_label,
                  transform=f"rotate(-90 16 {(TOP + HEIGHT - BOTTOM) / 2})")]
    for value in y_axis.ticks():
        y = y_axis.pixel(value)
        parts += [f'<path d="M{LEFT} {y:.1f}H{WIDTH - RIGHT}" stroke="#d0d7de"/>',
                  text(LEFT - 6, y + 4, f"{value:g}", "end")]
    distinct = sorted({x for x, _ in points})
    for value in distinct if len(distinct) <= MOST_NAMED_POINTS else x_axis.ticks():
        parts.append(text(x_axis.pixel(value), HEIGHT - BOTTOM + 18, f"{value:g}"))
    ordered = sorted(series.items(), key=lambda item: y_axis.pixel(sorted(item[1])[-1][1]))
    heights = spread_labels([y_axis.pixel(sorted(line)[-1][1]) for _, line in ordered])
    for index, ((name, line), height) in enumerate(zip(ordered, heights)):
        colour = COLOURS[index % len(COLOURS)]
        pixels = [(x_axis.pixel(x), y_axis.pixel(y)) for x, y in sorted(line)]
        path = " ".join(f"{x:.1f},{y:.1f}" for x, y in pixels)
        parts.append(f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="2"/>')
        parts += [f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3" fill="{colour}"/>' for x, y in pixels]
        parts.append(text(WIDTH - RIGHT + 8, height + 4, name, "start", fill=colour))
    return "\n".join(parts + ["</svg>"]) + "\n"
