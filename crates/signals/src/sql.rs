//! Evaluating a signal's SQL over the relations, on DataFusion.
//!
//! A signal may read six relations, join them by `entity`, and use the few functions named here: all of them exact on
//! integers and free of order, clock and chance, so that the same input gives the same bits. What is not here does not
//! exist for it: no files, no table functions, no floats, no windows. It is not scoring.

use arrow::array::{Array, Int64Array, RecordBatch};
use arrow::datatypes::{DataType, SchemaRef};
use datafusion::catalog::streaming::StreamingTable;
use datafusion::common::tree_node::{TreeNode, TreeNodeRecursion};
use datafusion::error::DataFusionError;
use datafusion::execution::SessionStateBuilder;
use datafusion::execution::TaskContext;
use datafusion::functions::{core as core_functions, math};
use datafusion::functions_aggregate::{count, min_max, sum};
use datafusion::logical_expr::{ColumnarValue, Expr, LogicalPlan, Operator, ScalarUDF, Volatility, create_udf};
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::streaming::PartitionStream;
use datafusion::physical_plan::{ExecutionPlan, SendableRecordBatchStream, collect, execution_plan::reset_plan_states};
use datafusion::prelude::{SessionConfig, SessionContext};
use datafusion::scalar::ScalarValue;
use datafusion::sql::parser::Statement;
use datafusion::sql::sqlparser::ast;
use futures::stream;
use std::sync::{Arc, Mutex, PoisonError};

/// What is wrong with a signal's SQL, or went wrong running it.
#[derive(Debug, thiserror::Error)]
pub enum SqlError {
    /// It does not parse or names what is not there.
    #[error("{0}")]
    Plan(String),
    /// It uses something a signal may not use.
    #[error("{0}")]
    Refused(String),
    /// It failed, or took too long.
    #[error("{0}")]
    Run(String),
}

/// A relation whose rows change while the plans over it stay.
struct Slot {
    schema: SchemaRef,
    batches: Mutex<Vec<RecordBatch>>,
}

impl std::fmt::Debug for Slot {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Slot({} columns)", self.schema.fields().len())
    }
}

impl PartitionStream for Slot {
    fn schema(&self) -> &SchemaRef {
        &self.schema
    }

    fn execute(&self, _: Arc<TaskContext>) -> SendableRecordBatchStream {
        let batches = self.batches.lock().unwrap_or_else(PoisonError::into_inner).clone().into_iter().map(Ok);
        Box::pin(RecordBatchStreamAdapter::new(self.schema.clone(), stream::iter(batches)))
    }
}

/// The relations and the engine that queries them.
pub struct Relations {
    context: SessionContext,
    slots: Vec<(String, Arc<Slot>)>,
    runtime: tokio::runtime::Runtime,
}

/// A checked query, planned once and run at every tick.
pub struct Query {
    plan: Arc<dyn ExecutionPlan>,
    /// The relations it reads.
    pub reads: Vec<String>,
}

/// One entity's value: the entity, the value, and the completeness in thousandths if the query tells it.
pub type Row = (u32, i64, Option<i64>);

impl Relations {
    /// Relations of these names and schemas, empty.
    pub fn new(schemas: &[(&str, SchemaRef)]) -> Result<Self, SqlError> {
        let mut config = SessionConfig::new().with_target_partitions(1).with_batch_size(8_192);
        config.options_mut().optimizer.enable_dynamic_filter_pushdown = false;
        let state = SessionStateBuilder::new()
            .with_config(config)
            .with_scalar_functions(scalar_functions())
            .with_aggregate_functions(vec![
                sum::sum_udaf(),
                min_max::min_udaf(),
                min_max::max_udaf(),
                count::count_udaf(),
            ])
            .build();
        let context = SessionContext::new_with_state(state);
        let mut slots = Vec::new();
        for (name, schema) in schemas {
            let slot = Arc::new(Slot { schema: schema.clone(), batches: Mutex::default() });
            let table = StreamingTable::try_new(schema.clone(), vec![slot.clone()]).map_err(plan_error)?;
            context.register_table(*name, Arc::new(table)).map_err(plan_error)?;
            slots.push(((*name).to_owned(), slot));
        }
        let runtime =
            tokio::runtime::Builder::new_current_thread().build().map_err(|e| SqlError::Run(e.to_string()))?;
        Ok(Self { context, slots, runtime })
    }

    /// Gives a relation its rows.
    pub fn set(&self, name: &str, batches: Vec<RecordBatch>) {
        if let Some((_, slot)) = self.slots.iter().find(|(own, _)| own == name) {
            *slot.batches.lock().unwrap_or_else(PoisonError::into_inner) = batches;
        }
    }

    /// Checks and plans a signal's SQL.
    pub fn plan(&self, sql: &str) -> Result<Query, SqlError> {
        let state = self.context.state();
        let statement =
            state.sql_to_statement(sql, &state.config().options().sql_parser.dialect).map_err(plan_error)?;
        if !matches!(&statement, Statement::Statement(inner) if matches!(**inner, ast::Statement::Query(_))) {
            let text =
                "is not a query: a signal is one SELECT over the relations and changes, reads or writes nothing else";
            return Err(SqlError::Refused(text.into()));
        }
        let plan = self.runtime.block_on(state.statement_to_plan(statement)).map_err(plan_error)?;
        let reads = check(&plan)?;
        let optimized = state.optimize(&plan).map_err(plan_error)?;
        let plan = self
            .runtime
            .block_on(state.query_planner().create_physical_plan(&optimized, &state))
            .map_err(plan_error)?;
        Ok(Query { plan, reads })
    }

    /// Runs a query on the relations as they stand. Entities without a value are left out.
    pub fn run(&self, query: &Query) -> Result<Vec<Row>, SqlError> {
        let plan = reset_plan_states(query.plan.clone()).map_err(run_error)?;
        let batches = self.runtime.block_on(collect(plan, self.context.task_ctx())).map_err(run_error)?;
        let mut rows = Vec::new();
        for batch in &batches {
            let column =
                |place: usize| batch.columns().get(place).and_then(|c| c.as_any().downcast_ref::<Int64Array>());
            let (Some(entity), Some(value)) = (column(0), column(1)) else { continue };
            let completeness = column(2);
            for row in 0..batch.num_rows() {
                if entity.is_null(row) || value.is_null(row) {
                    continue;
                }
                let completeness = completeness.filter(|column| !column.is_null(row)).map(|column| column.value(row));
                rows.push((entity.value(row) as u32, value.value(row), completeness));
            }
        }
        Ok(rows)
    }
}

fn plan_error(error: DataFusionError) -> SqlError {
    SqlError::Plan(first_line(&error))
}

fn run_error(error: DataFusionError) -> SqlError {
    SqlError::Run(first_line(&error))
}

fn first_line(error: &DataFusionError) -> String {
    let text = error.strip_backtrace();
    let line = text.lines().next().unwrap_or_default();
    line.trim_start_matches("Error during planning: ").trim_start_matches("SQL error: ").to_owned()
}

/// The functions a signal may call, beside `sum`, `min`, `max` and `count`.
pub const FUNCTIONS: &[(&str, &str)] = &[
    ("ratio(a, b)", "a ÷ b towards zero; missing when b is not positive"),
    ("permille(a, b)", "1000 a ÷ b towards zero; missing when b is not positive"),
    ("times(a, b)", "a × b, held within 64 bits"),
    ("log2_milli(a)", "1000 log₂(a), rounded down; 0 below 1"),
    ("median3(a, b, c)", "the middle one of three"),
    ("coalesce, nullif, greatest, least, abs", "as in SQL"),
];

fn scalar_functions() -> Vec<Arc<ScalarUDF>> {
    use crate::numbers::{clamp, log2_milli, median3, permille};
    let div = |a: i64, b: i64| (b > 0).then(|| a / b);
    vec![
        integer_function("ratio", move |[a, b]| div(a, b)),
        integer_function("permille", |[a, b]| permille(a, b)),
        integer_function("times", |[a, b]| Some(clamp(i128::from(a) * i128::from(b)))),
        integer_function("log2_milli", |[a]| Some(log2_milli(a))),
        integer_function("median3", |[a, b, c]| Some(median3(a, b, c))),
        core_functions::coalesce(),
        core_functions::nullif(),
        core_functions::greatest(),
        core_functions::least(),
        math::abs(),
    ]
}

/// A function of integers, missing where an argument is missing.
fn integer_function<const N: usize>(
    name: &str,
    function: impl Fn([i64; N]) -> Option<i64> + Send + Sync + 'static,
) -> Arc<ScalarUDF> {
    let body = move |args: &[ColumnarValue]| {
        let arrays = ColumnarValue::values_to_arrays(args)?;
        let columns: Vec<&Int64Array> = arrays.iter().filter_map(|a| a.as_any().downcast_ref()).collect();
        let Ok(columns) = <[&Int64Array; N]>::try_from(columns) else {
            return Err(DataFusionError::Execution("takes whole numbers".into()));
        };
        let len = columns.first().map_or(0, |column| column.len());
        let values = (0..len).map(|row| {
            if columns.iter().any(|column| column.is_null(row)) {
                None
            } else {
                function(columns.map(|c| c.value(row)))
            }
        });
        Ok(ColumnarValue::Array(Arc::new(values.collect::<Int64Array>())))
    };
    let types = vec![DataType::Int64; N];
    Arc::new(create_udf(name, types, DataType::Int64, Volatility::Immutable, Arc::new(body)))
}

/// Refuses what a signal may not do; tells which relations it reads.
fn check(plan: &LogicalPlan) -> Result<Vec<String>, SqlError> {
    let fields = plan.schema().fields();
    let names: Vec<&str> = fields.iter().map(|field| field.name().as_str()).collect();
    if !matches!(names.as_slice(), ["entity", "value"] | ["entity", "value", "completeness"]) {
        let found = names.join(", ");
        let text =
            format!("must select `entity, value` and perhaps `completeness`, in this order; it selects `{found}`");
        return Err(SqlError::Refused(text));
    }
    if let Some(field) = fields.iter().find(|field| field.data_type() != &DataType::Int64) {
        let text = format!("`{}` is {}, but must be a whole number (BIGINT)", field.name(), field.data_type());
        return Err(SqlError::Refused(text));
    }
    let mut reads = Vec::new();
    let mut refusal = None;
    let walked = plan.apply_with_subqueries(|node| {
        refusal = check_node(node, &mut reads).or_else(|| check_expressions(node));
        Ok(if refusal.is_some() { TreeNodeRecursion::Stop } else { TreeNodeRecursion::Continue })
    });
    walked.map_err(plan_error)?;
    match refusal {
        Some(text) => Err(SqlError::Refused(text)),
        None => {
            reads.sort();
            reads.dedup();
            Ok(reads)
        }
    }
}

fn check_node(node: &LogicalPlan, reads: &mut Vec<String>) -> Option<String> {
    match node {
        LogicalPlan::Projection(_)
        | LogicalPlan::Filter(_)
        | LogicalPlan::Aggregate(_)
        | LogicalPlan::SubqueryAlias(_)
        | LogicalPlan::Union(_)
        | LogicalPlan::Subquery(_) => None,
        LogicalPlan::TableScan(scan) => {
            reads.push(scan.table_name.table().to_owned());
            None
        }
        LogicalPlan::Join(join) => {
            let by_entity = join.on.iter().any(|(left, right)| {
                let is_entity = |expr: &Expr| matches!(expr, Expr::Column(column) if column.name == "entity");
                is_entity(left) && is_entity(right)
            });
            let text = "joins must be `USING (entity)` or `ON a.entity = b.entity`: any other may never end";
            (!by_entity).then(|| text.to_owned())
        }
        LogicalPlan::RecursiveQuery(_) => Some("`WITH RECURSIVE` may never end; a signal may not use it".into()),
        LogicalPlan::Limit(_) | LogicalPlan::Sort(_) | LogicalPlan::Window(_) | LogicalPlan::Distinct(_) => Some(
            "ORDER BY, LIMIT, DISTINCT and window functions depend on the order of rows; a signal may not use them"
                .into(),
        ),
        other => Some(format!("`{}` is not for a signal: it must be one SELECT over the relations", verb(other))),
    }
}

fn verb(node: &LogicalPlan) -> String {
    node.display().to_string().split([' ', ':']).next().unwrap_or_default().to_owned()
}

fn check_expressions(node: &LogicalPlan) -> Option<String> {
    let mut refusal = None;
    let walked = node.apply_expressions(|root| {
        root.apply(|expr| {
            refusal = check_expression(expr);
            Ok(if refusal.is_some() { TreeNodeRecursion::Stop } else { TreeNodeRecursion::Continue })
        })?;
        Ok(if refusal.is_some() { TreeNodeRecursion::Stop } else { TreeNodeRecursion::Continue })
    });
    walked.err().map(|error| first_line(&error)).or(refusal)
}

fn check_expression(expr: &Expr) -> Option<String> {
    match expr {
        Expr::BinaryExpr(binary) => {
            let instead = match binary.op {
                Operator::Divide => "`/` fails on zero; use ratio(a, b) or permille(a, b)",
                Operator::Modulo => "`%` is not for a signal",
                Operator::Multiply => "`*` overflows silently; use times(a, b)",
                _ => return None,
            };
            Some(instead.to_owned())
        }
        Expr::Literal(value, _) => match value {
            ScalarValue::Utf8(Some(text)) | ScalarValue::Utf8View(Some(text)) | ScalarValue::LargeUtf8(Some(text)) => {
                usage::Measure::from_name(text)
                    .is_none()
                    .then(|| format!("the text '{text}' is not a measure; a signal may name nothing and nobody else"))
            }
            ScalarValue::Float16(_)
            | ScalarValue::Float32(_)
            | ScalarValue::Float64(_)
            | ScalarValue::Decimal128(..) => {
                Some("numbers must be whole: sums of fractions depend on the order of work".into())
            }
            _ => None,
        },
        Expr::Cast(cast) if cast.field.data_type() != &DataType::Int64 && !is_text(cast.field.data_type()) => {
            Some(format!("a cast to {} is not for a signal: everything is a whole number", cast.field.data_type()))
        }
        Expr::WindowFunction(_) => Some("window functions are not for a signal".into()),
        _ => None,
    }
}

fn is_text(of: &DataType) -> bool {
    matches!(of, DataType::Utf8 | DataType::Utf8View | DataType::LargeUtf8)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::workload::{batch, table_schema};

    fn relations() -> Relations {
        let schema = table_schema(["a", "b"].map(str::to_owned).into_iter());
        let relations = Relations::new(&[("workload", schema.clone()), ("facts", schema.clone())]).unwrap();
        let rows = [[Some(7), Some(2)], [Some(5), None], [Some(1), Some(0)]];
        relations.set("workload", vec![batch(&schema, rows.into_iter())]);
        relations.set("facts", vec![batch(&schema, rows.into_iter())]);
        relations
    }

    #[test]
    fn a_plan_is_made_once_and_sees_new_rows() {
        let relations = relations();
        let query = relations.plan("SELECT entity, ratio(a, b) AS value FROM workload WHERE a > 0").unwrap();
        assert_eq!(relations.run(&query).unwrap(), [(0, 3, None)]);
        let schema = table_schema(["a", "b"].map(str::to_owned).into_iter());
        relations.set("workload", vec![batch(&schema, [[Some(9), Some(3)]].into_iter())]);
        assert_eq!(relations.run(&query).unwrap(), [(0, 3, None)]);
        assert_eq!(relations.run(&query).unwrap(), [(0, 3, None)]);
    }

    #[test]
    fn joins_aggregates_and_subqueries_run_again_and_again() {
        let relations = relations();
        let sql = "SELECT w.entity, sum(w.a + f.b) AS value, max(w.b) AS completeness
                   FROM workload w JOIN facts f USING (entity) GROUP BY w.entity";
        let query = relations.plan(sql).unwrap();
        for _ in 0..3 {
            let mut rows = relations.run(&query).unwrap();
            rows.sort_unstable();
            assert_eq!(rows, [(0, 9, Some(2)), (2, 1, Some(0))]);
        }
        assert_eq!(query.reads, ["facts", "workload"]);
    }

    #[test]
    fn what_a_signal_may_not_do_is_refused_with_the_reason() {
        let relations = relations();
        for (sql, reason) in [
            ("SELECT entity, a / b AS value FROM workload", "ratio"),
            ("SELECT entity, a * b AS value FROM workload", "times"),
            ("SELECT entity, a AS value FROM workload LIMIT 3", "order"),
            ("SELECT entity, a AS worth FROM workload", "entity, value"),
            ("SELECT entity, 1.5 AS value FROM workload", "whole"),
            ("SELECT entity, avg(a) AS value FROM workload GROUP BY entity", "avg"),
            ("SELECT entity, CAST(random() * 10 AS BIGINT) AS value FROM workload", "random"),
            ("SELECT entity, a AS value FROM 'secrets.parquet'", "secrets.parquet"),
            ("SELECT entity, a AS value FROM read_csv('x')", "read_csv"),
            ("SELECT value AS entity, value FROM generate_series(1, 1000000000000)", "generate_series"),
            ("COPY workload TO 'x.csv'", "not a query"),
            ("DROP TABLE workload", "not a query"),
            ("CREATE EXTERNAL TABLE t STORED AS CSV LOCATION 'x.csv'", "not a query"),
            ("SELECT entity, a AS value FROM workload; SELECT 1", "single"),
            ("SELECT w.entity, f.a AS value FROM workload w, facts f", "joins"),
            ("SELECT w.entity, f.a AS value FROM workload w JOIN facts f ON w.a = f.a", "joins"),
            (
                "WITH RECURSIVE n AS (SELECT 1 AS entity, 1 AS value UNION ALL SELECT entity, value + 1 FROM n) SELECT * FROM n",
                "",
            ),
            ("SELECT entity, row_number() OVER (ORDER BY a) AS value FROM workload", "row_number"),
            ("SELECT entity, CASE WHEN 'Freedonia' = 'Freedonia' THEN 1 ELSE 0 END AS value FROM workload", "nobody"),
            ("SELEC entity", "SELEC"),
            ("", "No SQL"),
        ] {
            let error = relations.plan(sql).err().unwrap_or_else(|| panic!("{sql} was taken")).to_string();
            assert!(error.contains(reason), "{sql}: {error}");
        }
    }
}
