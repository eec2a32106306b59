"""The faces: Streamlit pages and the API in one ASGI app."""
