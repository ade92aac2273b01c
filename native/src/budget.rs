//! A bound on the memory of all decodes in flight: work waits for its share.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

/// Until somebody sets another, the bound of this process: 1 GiB.
pub const DEFAULT_LIMIT_BYTES: u64 = 1 << 30;

/// The budget that all of this process's decodes share.
pub static DECODES: MemoryBudget = MemoryBudget::new(DEFAULT_LIMIT_BYTES);

/// Memory that is handed out in order of asking.
#[derive(Debug)]
pub struct MemoryBudget {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug)]
struct State {
    limit: u64,
    used: u64,
    /// The number that the next to ask is given.
    next: u64,
    /// The number whose turn it is.
    turn: u64,
}

/// A share of a [`MemoryBudget`], given back when it is dropped.
#[derive(Debug)]
pub struct Share<'a> {
    budget: &'a MemoryBudget,
    bytes: u64,
}

impl MemoryBudget {
    /// A budget of `limit` bytes.
    #[must_use]
    pub const fn new(limit: u64) -> Self {
        Self {
            state: Mutex::new(State {
                limit,
                used: 0,
                next: 0,
                turn: 0,
            }),
            changed: Condvar::new(),
        }
    }

    /// Changes the limit. What is handed out already stays so.
    pub fn set_limit(&self, bytes: u64) {
        self.lock().limit = bytes;
        self.changed.notify_all();
    }

    /// The limit, in bytes.
    #[must_use]
    pub fn limit(&self) -> u64 {
        self.lock().limit
    }

    /// Bytes handed out at the moment.
    #[must_use]
    pub fn used(&self) -> u64 {
        self.lock().used
    }

    /// Waits for `bytes`, behind everyone who asked before. One that needs
    /// more than the whole budget gets its share once it is alone: how much a
    /// single image may take is bounded by its pixels, not here.
    pub fn acquire(&self, bytes: u64) -> Share<'_> {
        let mut state = self.lock();
        let number = state.next;
        state.next = state.next.wrapping_add(1);
        while state.turn != number
            || (state.used > 0 && state.used.saturating_add(bytes) > state.limit)
        {
            state = self
                .changed
                .wait(state)
                .unwrap_or_else(PoisonError::into_inner);
        }
        state.turn = state.turn.wrapping_add(1);
        state.used = state.used.saturating_add(bytes);
        drop(state);
        // The next in line may fit as well.
        self.changed.notify_all();
        Share {
            budget: self,
            bytes,
        }
    }

    /// Nothing that could panic runs under the lock.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Share<'_> {
    fn drop(&mut self) {
        let mut state = self.budget.lock();
        state.used = state.used.saturating_sub(self.bytes);
        drop(state);
        self.budget.changed.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU64, Ordering};
    use std::sync::mpsc;
    use std::thread;

    use super::*;

    #[test]
    fn many_threads_never_hold_more_than_the_limit() {
        let budget = MemoryBudget::new(100);
        let held = AtomicU64::new(0);
        thread::scope(|scope| {
            for worker in 0..8 {
                let (budget, held) = (&budget, &held);
                scope.spawn(move || {
                    for round in 0..200 {
                        let bytes = (worker * 13 + round * 7) % 60 + 1;
                        let _share = budget.acquire(bytes);
                        let now = held.fetch_add(bytes, Ordering::SeqCst) + bytes;
                        assert!(now <= 100, "{now}");
                        thread::yield_now();
                        held.fetch_sub(bytes, Ordering::SeqCst);
                    }
                });
            }
        });
        assert_eq!(budget.used(), 0);
    }

    #[test]
    fn what_exceeds_the_whole_budget_goes_alone() {
        let budget = MemoryBudget::new(10);
        let small = budget.acquire(1);
        let (sender, receiver) = mpsc::channel();
        thread::scope(|scope| {
            let (budget, sender) = (&budget, sender);
            scope.spawn(move || {
                let _share = budget.acquire(50);
                sender.send(budget.used()).unwrap();
            });
            // It waits for as long as there is another.
            assert!(receiver.try_recv().is_err());
            drop(small);
            assert_eq!(receiver.recv().unwrap(), 50);
        });
    }

    #[test]
    fn a_raised_limit_lets_waiting_work_go_on() {
        let budget = MemoryBudget::new(10);
        let first = budget.acquire(10);
        thread::scope(|scope| {
            let waiting = scope.spawn(|| drop(budget.acquire(10)));
            budget.set_limit(20);
            waiting.join().unwrap();
        });
        drop(first);
        assert_eq!((budget.limit(), budget.used()), (20, 0));
    }
}
