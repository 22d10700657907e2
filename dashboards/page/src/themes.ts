// The theme that was chosen, kept in this browser, and the colours that charts read from it.

export type Theme = "auto" | "light" | "dark";

const THEMES: readonly Theme[] = ["auto", "light", "dark"];
const STORED_AS = "foretide-theme";

export function chosenTheme(): Theme {
  try {
    return THEMES.find((theme) => theme === localStorage.getItem(STORED_AS)) ?? "auto";
  } catch {
    return "auto"; // a browser that forbids storage still shows the page
  }
}

export function applyTheme(): void {
  const chosen = chosenTheme();
  const isDark = matchMedia("(prefers-color-scheme: dark)").matches;
  document.documentElement.dataset["theme"] = chosen === "auto" ? (isDark ? "dark" : "light") : chosen;
}

export function nextTheme(): void {
  const next = THEMES[(THEMES.indexOf(chosenTheme()) + 1) % THEMES.length] ?? "auto";
  try {
    localStorage.setItem(STORED_AS, next);
  } catch {
    return;
  }
  applyTheme();
}

/** Calls back whenever the colours have changed. */
export function onThemeChange(changed: () => void): void {
  new MutationObserver(changed).observe(document.documentElement, { attributeFilter: ["data-theme"] });
}

export interface Colours {
  readonly bg: string;
  readonly sub: string;
  readonly line: string;
  readonly edge: string;
  readonly ink: string;
  readonly ink2: string;
  readonly ink3: string;
  readonly accent: string;
  readonly band: string;
  readonly cap: string;
  readonly capFill: string;
  readonly hatch: string;
  readonly short: string;
  readonly sans: string;
}

/** The tokens as a canvas needs them: real colours. */
export function colours(): Colours {
  const style = getComputedStyle(document.documentElement);
  const token = (name: string): string => style.getPropertyValue(`--${name}`).trim();
  return {
    bg: token("bg"),
    sub: token("sub"),
    line: token("line"),
    edge: token("edge"),
    ink: token("ink"),
    ink2: token("ink-2"),
    ink3: token("ink-3"),
    accent: token("accent"),
    band: token("band"),
    cap: token("cap"),
    capFill: token("cap-fill"),
    hatch: token("hatch"),
    short: token("short"),
    sans: token("sans"),
  };
}
