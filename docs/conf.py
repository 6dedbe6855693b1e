"""Configuration of the site: `make docs` builds it into `build/docs`, with every warning an error and no network."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import finbench

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))

# Executed pages: commands are those of this environment, a command that fails stops the page (see ipython/).
os.environ["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
os.environ["IPYTHONDIR"] = str(HERE / "ipython")
os.environ["FINBENCH_EXAMPLES"] = str(HERE / "examples")
os.environ["COLUMNS"] = "120"
os.environ["TTY_COMPATIBLE"] = "0"  # no bars that move
os.environ["PYDEVD_DISABLE_FILE_VALIDATION"] = "1"

project = "finbench"
author = "The finbench authors"
project_copyright = "The finbench authors, MIT licence"
release = version = finbench.__version__

extensions = [
    "myst_nb",
    "numpydoc",
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "sphinx_copybutton",
    "sphinx_design",
    "sphinxcontrib.bibtex",
    "finbench_docs",
]
exclude_patterns = ["finbench_docs", "ipython", "static"]
nitpicky = True
nitpick_ignore_regex = [("py:class", r"collections\.abc\..*")]  # Python's own: nothing is looked up over a network

myst_enable_extensions = ["attrs_inline", "colon_fence", "deflist", "dollarmath", "fieldlist"]
myst_heading_anchors = 3
smartquotes_action = "qe"  # two hyphens begin an option: they are no dash
myst_dmath_double_inline = True

nb_execution_mode = "force"
nb_execution_in_temp = True
nb_execution_raise_on_error = True
nb_execution_show_tb = True
nb_execution_timeout = 60
nb_merge_streams = True

bibtex_bibfiles = ["references.bib"]
bibtex_default_style = "unsrt"
bibtex_reference_style = "author_year"

autodoc_member_order = "bysource"
autodoc_typehints = "none"
autodoc_default_options = {"members": True, "exclude-members": "model_config, model_post_init"}
autosummary_generate = True
numpydoc_show_class_members = False
numpydoc_xref_param_type = False

math_number_all = False
html_math_renderer = "mathml"

html_theme = "pydata_sphinx_theme"
html_title = "finbench"
html_static_path = ["static", "figures"]
html_css_files = ["finbench.css"]
html_sidebars: dict[str, list[str]] = {"*": []}  # pages at the top have nothing below them to list
html_show_sourcelink = False
html_copy_source = False
html_theme_options = {
    "logo": {"text": "finbench"},
    "show_nav_level": 1,
    "header_links_before_dropdown": 8,
    "navbar_align": "left",
    "navigation_with_keys": False,
    "secondary_sidebar_items": ["page-toc"],
    "footer_start": ["copyright"],
    "footer_end": [],
    "pygments_light_style": "a11y-high-contrast-light",
    "pygments_dark_style": "a11y-high-contrast-dark",
}

copybutton_prompt_text = r"\$ |!"
copybutton_prompt_is_regexp = True
copybutton_only_copy_prompt_lines = True
copybutton_remove_prompts = True
