"The Streamlit dashboard: pages that show what one run of the library says."
