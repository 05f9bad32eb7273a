//! Progress on a terminal: a line a server, redrawn in place on stderr and gone at the end.
//!
//! Promises: never more lines than the terminal has and never a wrapped one, or redrawing would
//! scramble the screen; nothing at all in a pipe. What was found is printed afterwards by the
//! command, so nothing is lost with these lines.

use crate::cli::output::Output;
use crate::cli::render::human::{DIM, GREEN, RED, paint};
use crate::engine::show;
use crate::survey::progress::{Event, Step};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// The lines of one run.
pub struct Progress {
    out: Output,
    live: bool,
    state: Mutex<State>,
}

struct State {
    lines: Vec<Line>,
    drawn: usize,
    tick: usize,
}

struct Line {
    name: String,
    step: Step,
    since: Instant,
}

const SPINNER: [&str; 4] = ["-", "\\", "|", "/"];

impl Progress {
    /// Lines for servers of these names, all waiting.
    pub fn new(out: Output, names: &[String]) -> Self {
        let line =
            |name: &String| Line { name: show::line(name, 24), step: Step::Waiting, since: Instant::now() };
        let lines = names.iter().map(line).collect();
        Self { out, live: out.is_live(), state: Mutex::new(State { lines, drawn: 0, tick: 0 }) }
    }

    /// Takes in an event and redraws.
    pub fn on(&self, event: Event) {
        if let Some(line) = self.state().lines.get_mut(event.server) {
            line.step = event.step;
            line.since = Instant::now();
        }
        self.draw();
    }

    /// Redraws now and then, so that a person sees that something still happens. Never returns.
    pub async fn tick(&self) -> std::convert::Infallible {
        loop {
            tokio::time::sleep(Duration::from_millis(150)).await;
            self.state().tick += 1;
            self.draw();
        }
    }

    /// Takes the lines off the screen.
    pub fn clear(&self) {
        let mut state = self.state();
        if self.live && state.drawn > 0 {
            self.out.redraw(state.drawn, "");
            state.drawn = 0;
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn draw(&self) {
        if !self.live {
            return;
        }
        let (width, height) = terminal_size::terminal_size()
            .map_or((80, 24), |(width, height)| (usize::from(width.0), usize::from(height.0)));
        let mut state = self.state();
        let lines = render(&state.lines, state.tick, width, height.saturating_sub(2));
        let text: String = lines.iter().map(|line| format!("{line}\n")).collect();
        self.out.redraw(state.drawn, &text);
        state.drawn = lines.len();
    }
}

fn render(lines: &[Line], tick: usize, width: usize, height: usize) -> Vec<String> {
    let label = lines.iter().map(|line| line.name.chars().count()).max().unwrap_or(0);
    let one = |line: &Line| {
        let (mark, style, words) = match &line.step {
            Step::Waiting => (" ", DIM, "waiting".to_owned()),
            Step::Resolving => (SPINNER[tick % 4], DIM, "looking at what it runs".to_owned()),
            Step::Starting => {
                (SPINNER[tick % 4], DIM, format!("starting, {}", seconds(line.since.elapsed())))
            }
            Step::Reading => (SPINNER[tick % 4], DIM, format!("reading, {}", seconds(line.since.elapsed()))),
            Step::Done(took) => ("\u{2713}", GREEN, format!("done in {}", seconds(*took))),
            Step::Failed(took) => ("\u{2717}", RED, format!("failed after {}", seconds(*took))),
        };
        let room = width.saturating_sub(label + 6);
        let words: String = words.chars().take(room).collect();
        format!("  {} {:label$}  {}", paint(style, mark), line.name, paint(DIM, &words))
    };
    if lines.len() <= height {
        return lines.iter().map(one).collect();
    }
    let is_running = |line: &&Line| matches!(line.step, Step::Resolving | Step::Starting | Step::Reading);
    let of = |wanted: fn(&Step) -> bool| lines.iter().filter(|line| wanted(&line.step)).count();
    let mut shown: Vec<String> =
        lines.iter().filter(is_running).take(height.saturating_sub(1)).map(one).collect();
    shown.push(format!(
        "    {} done, {} failed, {} waiting",
        of(|step| matches!(step, Step::Done(_))),
        of(|step| matches!(step, Step::Failed(_))),
        of(|step| matches!(step, Step::Waiting)),
    ));
    shown
}

/// A duration for people: "0.8 s", "12 s".
pub fn seconds(duration: Duration) -> String {
    let seconds = duration.as_secs_f64();
    if seconds < 9.95 { format!("{seconds:.1} s") } else { format!("{seconds:.0} s") }
}

#[cfg(test)]
mod tests {
    use super::{Line, render};
    use crate::survey::progress::Step;
    use std::time::{Duration, Instant};

    fn lines() -> Vec<Line> {
        let line = |name: &str, step| Line { name: name.to_owned(), step, since: Instant::now() };
        vec![
            line("files", Step::Done(Duration::from_millis(840))),
            line("git", Step::Starting),
            line("a-longer-name", Step::Failed(Duration::from_secs(30))),
            line("time", Step::Waiting),
        ]
    }

    fn plain(height: usize, width: usize) -> String {
        anstream::adapter::strip_str(&render(&lines(), 1, width, height).join("\n")).to_string()
    }

    #[test]
    fn a_line_a_server() {
        insta::assert_snapshot!(plain(10, 60), @r"
          ✓ files          done in 0.8 s
          \ git            starting, 0.0 s
          ✗ a-longer-name  failed after 30 s
            time           waiting
        ");
    }

    #[test]
    fn only_the_running_ones_on_a_small_terminal() {
        insta::assert_snapshot!(plain(3, 30), @r"
          \ git            starting, 0
            1 done, 1 failed, 1 waiting
        ");
    }
}
