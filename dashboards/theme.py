"""How Cairn looks: one palette for pages and charts, and the settings Streamlit is started with."""

from __future__ import annotations

from collections.abc import Mapping

# Okabe and Ito's hues, which the colour-blind tell apart, shifted to a lightness that has a
# contrast of 3:1 or more on both backgrounds, so that a chart need not know the theme it is in.
MEASURED = "#2E86C9"
ACCENT = "#D9730D"
ABSENT = "#8B95A5"
MUTED = "#767E8A"
"""Text of an image, which cannot know the background either: a contrast of 4:1 on both."""

MARK = (
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32">'
    f'<ellipse cx="16" cy="26" rx="13" ry="5" fill="{ABSENT}"/>'
    f'<ellipse cx="15" cy="17.5" rx="9" ry="4" fill="{MEASURED}"/>'
    f'<ellipse cx="17" cy="10.5" rx="6" ry="3.2" fill="{ABSENT}"/>'
    f'<ellipse cx="16" cy="5" rx="3.2" ry="2.2" fill="{ACCENT}"/></svg>'
)
"""A cairn, for the browser's tab."""

LOGO = (
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 122 32">'
    + MARK.partition(">")[2].removesuffix("</svg>")
    + f'<text x="38" y="24" font-family="sans-serif" font-size="25" font-weight="700" fill="{MEASURED}">'
    "Cairn</text></svg>"
)

STYLE = "<style>[role=spinbutton] { min-width: 24px; text-align: center; }</style>"
"""Days and months of a date are fields of their own, and narrower than a finger."""

CONFIG: Mapping[str, object] = {
    # Nothing leaves the machine.
    "browser.gatherUsageStats": False,
    "server.headless": True,
    "server.showEmailPrompt": False,
    "server.fileWatcherType": "none",
    "server.runOnSave": False,
    "logger.hideWelcomeMessage": True,
    # The grid's own export writes formulas as they are; the pages offer downloads that do not.
    "client.disableDataExport": True,
    "client.showErrorDetails": "none",
    "client.toolbarMode": "viewer",
    "theme.baseRadius": "medium",
    "theme.paddingTop": "1rem",
    "theme.paddingBottom": "2rem",
    "theme.headingFontSizes": ["2rem", "1.15rem", "1.15rem"],
    "theme.headingFontWeights": [700, 600, 600],
    "theme.metricValueFontSize": "1.9rem",
    "theme.chartCategoricalColors": [MEASURED, ACCENT, ABSENT],
    "theme.light.primaryColor": "#1F6FB2",
    "theme.light.backgroundColor": "#FFFFFF",
    "theme.light.secondaryBackgroundColor": "#F4F6F9",
    # Captions are paler by two fifths, and keep a contrast of 4.5:1.
    "theme.light.textColor": "#111827",
    "theme.light.codeTextColor": "#111827",
    "theme.light.borderColor": "#DCE1E8",
    "theme.dark.primaryColor": "#4FA3E0",
    "theme.dark.backgroundColor": "#10151D",
    "theme.dark.secondaryBackgroundColor": "#1A212C",
    "theme.dark.textColor": "#E6EAF0",
    "theme.dark.codeTextColor": "#E6EAF0",
    "theme.dark.borderColor": "#303A48",
}
"""Streamlit's settings, above any configuration file of the machine's."""
