//! Many at once.

use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

/// As many as there are processors, and at least two.
pub(crate) fn processors() -> usize {
    thread::available_parallelism().map_or(2, |count| count.get().max(2))
}

/// Does `count` jobs with so many hands; the results are in the order of the jobs.
pub(crate) fn crowd<T: Send>(
    hands: usize,
    count: usize,
    job: impl Fn(usize) -> T + Sync,
) -> Vec<T> {
    let next = AtomicUsize::new(0);
    let results = Mutex::new(Vec::with_capacity(count));
    thread::scope(|scope| {
        for _ in 0..hands.min(count) {
            scope.spawn(|| {
                loop {
                    let number = next.fetch_add(1, Ordering::Relaxed);
                    if number >= count {
                        return;
                    }
                    let result = job(number);
                    let mut results = results.lock().unwrap_or_else(|error| error.into_inner());
                    results.push((number, result));
                }
            });
        }
    });
    let mut results = results
        .into_inner()
        .unwrap_or_else(|error| error.into_inner());
    results.sort_by_key(|(number, _)| *number);
    results.into_iter().map(|(_, result)| result).collect()
}
