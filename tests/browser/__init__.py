"""Pages in Debian's headless Chromium."""
