//! The tasks that run as long as the engine does.

use std::sync::Mutex;
use std::sync::PoisonError;

use tokio::task::JoinSet;

/// Owns tasks; whoever drains the engine waits for them. Dropping it ends them.
#[derive(Debug, Default)]
pub(super) struct Tasks {
    running: Mutex<JoinSet<()>>,
}

impl Tasks {
    /// Runs a task until it ends by itself, which every one must when it is told to stop.
    pub(super) fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        let mut running = self.running.lock().unwrap_or_else(PoisonError::into_inner);
        // Those that have ended would stay for ever.
        while running.try_join_next().is_some() {}
        running.spawn(task);
    }

    /// Whether a task has not ended.
    pub(super) fn is_running(&self) -> bool {
        let mut running = self.running.lock().unwrap_or_else(PoisonError::into_inner);
        while running.try_join_next().is_some() {}
        !running.is_empty()
    }

    /// Waits until every task has ended.
    pub(super) async fn ended(&self) {
        let mut running = {
            let mut running = self.running.lock().unwrap_or_else(PoisonError::into_inner);
            std::mem::take(&mut *running)
        };
        while running.join_next().await.is_some() {}
    }
}
