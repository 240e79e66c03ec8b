"""Sphinx's settings; nothing is executed, and no page asks another server for anything."""

project = "srlib"
author = "The srlib authors"
extensions = ["myst_nb", "sphinx.ext.autodoc", "sphinx.ext.napoleon", "sphinx_copybutton"]
nb_execution_mode = "off"
nb_ipywidgets_js: dict[str, dict] = {}  # a menu that needs a kernel is not shown
myst_enable_extensions = ["dollarmath"]
autodoc_typehints = "description"
napoleon_use_ivar = True  # or a NamedTuple's fields are listed twice
html_theme = "sphinx_book_theme"
html_title = "srlib"
html_static_path = ["_static"]
html_css_files = ["dt_bundle.css", "srlib.css"]
html_js_files = [("site.js", {"type": "module"})]
html_favicon = "_static/favicon.svg"
html_context = {"default_mode": "auto"}
html_theme_options = {
    "show_navbar_depth": 1,
    "show_toc_level": 2,
    "navbar_persistent": [],  # the sidebar has the search
    "use_download_button": True,
    # figures and tables have the room that a list of headings would take from them
    "secondary_sidebar_items": {"**": [], "api": ["page-toc"]},
}
html_copy_source = False
exclude_patterns = ["_static", "templates"]
templates_path = ["templates"]
nb_code_prompt_show = "Show the code"
nb_code_prompt_hide = "Hide the code"
suppress_warnings = ["mystnb.unknown_mime_type"]
