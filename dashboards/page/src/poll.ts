// Asks again and again: at once when the page is looked at, not at all while it is hidden, less often after failures.
import { Unreachable } from "./api";

const LONGEST_WAIT_MILLISECONDS = 15_000;

export interface Outage {
  readonly sinceSeconds: number; // wall clock: when the first question stayed unanswered
  readonly nextTryMilliseconds: number; // from now
}

/** One question that is asked for ever. `ask` rejects with `Unreachable` when the agent did not answer. */
export class Poll {
  private timer: number | undefined;
  private failures = 0;
  private since = 0;
  private isRunning = false;

  constructor(
    private readonly ask: () => Promise<void>,
    private readonly periodMilliseconds: number,
    private readonly tell: (outage: Outage | null) => void,
  ) {
    document.addEventListener("visibilitychange", () => this.now());
  }

  /** Asks at once, and from now on. */
  readonly now = (): void => {
    clearTimeout(this.timer);
    if (!document.hidden && !this.isRunning) void this.run();
  };

  private async run(): Promise<void> {
    this.isRunning = true;
    let wait = this.periodMilliseconds;
    try {
      await this.ask();
      this.failures = 0;
      this.tell(null);
    } catch (error) {
      if (error instanceof Unreachable) wait = this.failed();
      else reportError(error);
    } finally {
      this.isRunning = false;
      this.timer = setTimeout(this.now, wait);
    }
  }

  private failed(): number {
    this.failures += 1;
    if (this.failures === 1) this.since = Date.now() / 1000;
    const wait = Math.min(LONGEST_WAIT_MILLISECONDS, this.periodMilliseconds * 2 ** (this.failures - 1));
    this.tell({ sinceSeconds: this.since, nextTryMilliseconds: wait });
    return wait;
  }
}
