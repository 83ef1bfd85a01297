"Requirements, extras and scripts from settings.ini; everything static is in pyproject.toml."
from configparser import ConfigParser
from pathlib import Path

from setuptools import find_packages, setup

ini = ConfigParser(delimiters=["="])
ini.read(Path(__file__).with_name("settings.ini"), encoding="utf-8")
cfg = ini["DEFAULT"]
extras = {key.removesuffix("_requirements"): value.split() for key, value in cfg.items() if key.endswith("_requirements")}

setup(
    author=cfg["author"],
    keywords=cfg["keywords"].split(),
    install_requires=cfg["requirements"].split(),
    extras_require=extras,
    # reports/ and dashboard/ are installed beside the library as packages, so that `risk report` and `risk dashboard` find them
    packages=find_packages(include=["risk_analytics_lib*"]) + ["risk_reports", "risk_dashboard"],
    package_dir={"risk_reports": "reports", "risk_dashboard": "dashboard"},
    package_data={"risk_analytics_lib": ["data/*"], "risk_reports": ["*.ipynb", "params/*", "template/*"], "risk_dashboard": ["app_pages/*"]},
    entry_points={"console_scripts": [cfg["console_scripts"]], "nbdev": ["risk_analytics_lib=risk_analytics_lib._modidx:d"]},
)
