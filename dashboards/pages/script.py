"""What Streamlit runs for every view of the dashboard."""

from dashboards.frame import show

show()
