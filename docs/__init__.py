"Builds the documentation site and README.md from the notebooks, with nothing but pip."
