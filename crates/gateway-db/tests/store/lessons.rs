//! What adaptive routers have seen is a sum that all gateways add to.

use gateway_db::LessonRow;

use crate::support::on_each;

fn lesson(model: &str, good: f64, bad: f64) -> LessonRow {
    LessonRow { router: "smart".into(), kind: "writing".into(), model: model.into(), good, bad }
}

#[tokio::test]
async fn gateways_add_up_what_they_saw() {
    on_each(async |fresh| {
        assert_eq!(fresh.db.lessons().await.unwrap(), []);
        let mut tasks = tokio::task::JoinSet::new();
        for replica in 0..8 {
            let db = fresh.db.clone();
            tasks.spawn(async move {
                let mut seen = [lesson("a", 1.0, 0.0), lesson("b", 0.0, 2.0)];
                if replica % 2 == 0 {
                    seen.reverse();
                }
                db.add_lessons(&seen).await.unwrap();
            });
        }
        tasks.join_all().await;
        let mut all = fresh.db.lessons().await.unwrap();
        all.sort_by(|one, other| one.model.cmp(&other.model));
        assert_eq!(all, [lesson("a", 8.0, 0.0), lesson("b", 0.0, 16.0)]);
    })
    .await;
}
