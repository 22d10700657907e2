// Sets the theme before the first paint; the page's CSP forbids inline scripts, so this is a file of its own.
import { applyTheme } from "./themes";

matchMedia("(prefers-color-scheme: dark)").addEventListener("change", applyTheme);
applyTheme();
