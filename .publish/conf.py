"""Sphinx's settings for the site. No font, style or script of a page comes from elsewhere."""

project = "tweetlab"
author = "tweetlab contributors"
extensions = ["myst_nb"]

nb_execution_mode = "off"  # the notebooks come here executed
nb_ipywidgets_js = {}
nb_merge_streams = True
myst_heading_anchors = 2

html_theme = "furo"
html_title = "tweetlab"
html_static_path = ["static"]
html_css_files = ["site.css"]
html_copy_source = False
html_scaled_image_link = False
html_show_sphinx = False
html_show_copyright = False
html_use_index = False
html_theme_options = {
    "light_css_variables": {"color-brand-primary": "#0b5c8e", "color-brand-content": "#0b5c8e"},
    "dark_css_variables": {"color-brand-primary": "#7fc4f0", "color-brand-content": "#7fc4f0"},
}
# Colours of code with a contrast of at least 7 to 1.
pygments_style = "a11y-high-contrast-light"
pygments_dark_style = "a11y-high-contrast-dark"
