//! Some things at a time, in order, until done or interrupted.

use futures_util::StreamExt;
use futures_util::stream;
use std::future::Future;

/// How many servers are read at a time when nothing else is asked for.
pub const JOBS: usize = 8;

/// Runs one future for every item, at most `jobs` at a time, and gives the outputs in the order of
/// the items.
pub async fn run<T, F, Fut>(jobs: usize, items: impl IntoIterator<Item = T>, work: F) -> Vec<Fut::Output>
where
    F: Fn(usize, T) -> Fut,
    Fut: Future,
{
    let started = items.into_iter().enumerate().map(|(index, item)| {
        let future = work(index, item);
        async move { (index, future.await) }
    });
    let mut outputs: Vec<(usize, Fut::Output)> =
        stream::iter(started).buffer_unordered(jobs.max(1)).collect().await;
    outputs.sort_by_key(|(index, _)| *index);
    outputs.into_iter().map(|(_, output)| output).collect()
}

/// Ends when the person or the system asks this program to end: Ctrl-C, and on Unix also a
/// termination or a closed terminal.
pub async fn interrupted() {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        let ends = |kind| async move {
            match signal(kind) {
                Ok(mut stream) => {
                    stream.recv().await;
                }
                Err(_) => std::future::pending().await,
            }
        };
        tokio::select! {
            () = ends(SignalKind::interrupt()) => {}
            () = ends(SignalKind::terminate()) => {}
            () = ends(SignalKind::hangup()) => {}
        }
    }
    #[cfg(not(unix))]
    if tokio::signal::ctrl_c().await.is_err() {
        std::future::pending::<()>().await;
    }
}

#[cfg(test)]
mod tests {
    use super::run;
    use std::cell::Cell;
    use std::time::Duration;

    #[tokio::test(flavor = "current_thread")]
    async fn outputs_keep_the_order_and_the_width_is_kept() {
        let (now, most) = (Cell::new(0), Cell::new(0));
        let work = |index: usize, item: u64| {
            let (now, most) = (&now, &most);
            async move {
                now.set(now.get() + 1);
                most.set(most.get().max(now.get()));
                tokio::time::sleep(Duration::from_millis(item)).await;
                now.set(now.get() - 1);
                (index, item)
            }
        };
        let outputs = run(2, [30, 5, 20, 1], work).await;
        assert_eq!(outputs, [(0, 30), (1, 5), (2, 20), (3, 1)]);
        assert_eq!(most.get(), 2);
    }
}
