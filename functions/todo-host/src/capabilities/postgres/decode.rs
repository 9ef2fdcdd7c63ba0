//! Rows, each value by its column's type. A type that the interface does not have arrives as its raw bytes.

use bytes::Buf;
use jiff::civil::{Date, DateTime, Time};
use postgres_protocol::types::{Range, RangeBound, range_from_sql};
use rust_decimal::Decimal;
use tokio_postgres::types::{FromSql, Type};
use uuid::Uuid;

use super::encode::{Bound, Moment};
use super::error::text;
use crate::bindings::postgres::{Column, DbDataType, DbValue, Error, Interval, RangeBoundKind, Row};

type Failure = Box<dyn std::error::Error + Sync + Send>;

/// A column's name and type.
pub fn column(column: &tokio_postgres::Column) -> Column {
    Column { name: column.name().to_owned(), data_type: data_type(column.type_()) }
}

fn data_type(kind: &Type) -> DbDataType {
    match *kind {
        Type::BOOL => DbDataType::Boolean,
        Type::INT2 => DbDataType::Int16,
        Type::INT4 => DbDataType::Int32,
        Type::INT8 => DbDataType::Int64,
        Type::FLOAT4 => DbDataType::Floating32,
        Type::FLOAT8 => DbDataType::Floating64,
        Type::TEXT | Type::VARCHAR | Type::BPCHAR | Type::NAME => DbDataType::Str,
        Type::BYTEA => DbDataType::Binary,
        Type::DATE => DbDataType::Date,
        Type::TIME => DbDataType::Time,
        Type::TIMESTAMP | Type::TIMESTAMPTZ => DbDataType::Datetime,
        Type::UUID => DbDataType::Uuid,
        Type::JSONB | Type::JSON => DbDataType::Jsonb,
        Type::NUMERIC => DbDataType::Decimal,
        Type::INT4_RANGE => DbDataType::RangeInt32,
        Type::INT8_RANGE => DbDataType::RangeInt64,
        Type::NUM_RANGE => DbDataType::RangeDecimal,
        Type::INT4_ARRAY => DbDataType::ArrayInt32,
        Type::INT8_ARRAY => DbDataType::ArrayInt64,
        Type::NUMERIC_ARRAY => DbDataType::ArrayDecimal,
        Type::TEXT_ARRAY | Type::VARCHAR_ARRAY | Type::BPCHAR_ARRAY => DbDataType::ArrayStr,
        Type::INTERVAL => DbDataType::Interval,
        _ => DbDataType::Other(kind.name().to_owned()),
    }
}

/// A row's values.
pub fn row(row: &tokio_postgres::Row) -> Result<Row, Error> {
    (0..row.len())
        .map(|column| match row.try_get::<_, Decoded>(column) {
            Ok(value) => Ok(value.0),
            Err(failure) => Err(Error::ValueConversionFailed(text(&failure))),
        })
        .collect()
}

/// The bytes a row takes in the answer, roughly.
pub fn size_of_row(row: &Row) -> usize {
    row.iter().map(size_of_value).sum()
}

fn size_of_value(value: &DbValue) -> usize {
    size_of::<DbValue>()
        + match value {
            DbValue::Str(text) => text.len(),
            DbValue::Binary(bytes) | DbValue::Jsonb(bytes) | DbValue::Unsupported(bytes) => bytes.len(),
            DbValue::ArrayInt32(items) => items.len() * 8,
            DbValue::ArrayInt64(items) => items.len() * 16,
            DbValue::ArrayStr(items) | DbValue::ArrayDecimal(items) => {
                items.iter().flatten().map(|item| item.len() + size_of::<String>()).sum()
            }
            _ => 0,
        }
}

struct Decoded(DbValue);

impl<'a> FromSql<'a> for Decoded {
    fn from_sql(kind: &Type, raw: &'a [u8]) -> Result<Self, Failure> {
        decode(kind, raw).map(Self)
    }

    fn from_sql_null(_: &Type) -> Result<Self, Failure> {
        Ok(Self(DbValue::DbNull))
    }

    fn accepts(_: &Type) -> bool {
        true
    }
}

fn decode(kind: &Type, raw: &[u8]) -> Result<DbValue, Failure> {
    Ok(match *kind {
        Type::BOOL => DbValue::Boolean(bool::from_sql(kind, raw)?),
        Type::INT2 => DbValue::Int16(i16::from_sql(kind, raw)?),
        Type::INT4 => DbValue::Int32(i32::from_sql(kind, raw)?),
        Type::INT8 => DbValue::Int64(i64::from_sql(kind, raw)?),
        Type::FLOAT4 => DbValue::Floating32(f32::from_sql(kind, raw)?),
        Type::FLOAT8 => DbValue::Floating64(f64::from_sql(kind, raw)?),
        Type::TEXT | Type::VARCHAR | Type::BPCHAR | Type::NAME => DbValue::Str(String::from_sql(kind, raw)?),
        Type::BYTEA => DbValue::Binary(raw.to_vec()),
        Type::DATE => DbValue::Date(date(Date::from_sql(kind, raw)?)?),
        Type::TIME => DbValue::Time(time(Time::from_sql(kind, raw)?)?),
        Type::TIMESTAMP => DbValue::Datetime(datetime(DateTime::from_sql(kind, raw)?)?),
        Type::TIMESTAMPTZ => {
            let instant = jiff::Timestamp::from_sql(kind, raw)?;
            DbValue::Datetime(datetime(jiff::tz::Offset::UTC.to_datetime(instant))?)
        }
        Type::UUID => DbValue::Uuid(Uuid::from_sql(kind, raw)?.to_string()),
        Type::JSON => DbValue::Jsonb(raw.to_vec()),
        Type::JSONB => DbValue::Jsonb(raw.strip_prefix(&[1]).ok_or("an unknown version of jsonb")?.to_vec()),
        Type::NUMERIC => DbValue::Decimal(Decimal::from_sql(kind, raw)?.to_string()),
        Type::INT4_RANGE => DbValue::RangeInt32(range(raw, |end| i32::from_sql(&Type::INT4, end))?),
        Type::INT8_RANGE => DbValue::RangeInt64(range(raw, |end| i64::from_sql(&Type::INT8, end))?),
        Type::NUM_RANGE => {
            DbValue::RangeDecimal(range(raw, |end| Ok(Decimal::from_sql(&Type::NUMERIC, end)?.to_string()))?)
        }
        Type::INT4_ARRAY => DbValue::ArrayInt32(Vec::from_sql(kind, raw)?),
        Type::INT8_ARRAY => DbValue::ArrayInt64(Vec::from_sql(kind, raw)?),
        Type::NUMERIC_ARRAY => {
            let decimals = Vec::<Option<Decimal>>::from_sql(kind, raw)?;
            DbValue::ArrayDecimal(
                decimals.into_iter().map(|item| item.map(|item| item.to_string())).collect(),
            )
        }
        Type::TEXT_ARRAY | Type::VARCHAR_ARRAY | Type::BPCHAR_ARRAY => {
            DbValue::ArrayStr(Vec::from_sql(kind, raw)?)
        }
        Type::INTERVAL => DbValue::Interval(interval(raw)?),
        _ => DbValue::Unsupported(raw.to_vec()),
    })
}

fn date(date: Date) -> Result<(i32, u8, u8), Failure> {
    Ok((date.year().into(), date.month().try_into()?, date.day().try_into()?))
}

fn time(time: Time) -> Result<(u8, u8, u8, u32), Failure> {
    let nanosecond = time.subsec_nanosecond().try_into()?;
    Ok((time.hour().try_into()?, time.minute().try_into()?, time.second().try_into()?, nanosecond))
}

fn datetime(value: DateTime) -> Result<Moment, Failure> {
    let (year, month, day) = date(value.date())?;
    let (hour, minute, second, nanosecond) = time(value.time())?;
    Ok((year, month, day, hour, minute, second, nanosecond))
}

fn range<T>(raw: &[u8], end: impl Fn(&[u8]) -> Result<T, Failure>) -> Result<(Bound<T>, Bound<T>), Failure> {
    let bound = |bound: RangeBound<Option<&[u8]>>| match bound {
        RangeBound::Inclusive(Some(raw)) => Ok(Some((end(raw)?, RangeBoundKind::Inclusive))),
        RangeBound::Exclusive(Some(raw)) => Ok(Some((end(raw)?, RangeBoundKind::Exclusive))),
        _ => Ok::<_, Failure>(None),
    };
    match range_from_sql(raw)? {
        Range::Nonempty(lower, upper) => Ok((bound(lower)?, bound(upper)?)),
        Range::Empty => Err("an empty range, which the interface cannot say".into()),
    }
}

fn interval(mut raw: &[u8]) -> Result<Interval, Failure> {
    let micros = raw.try_get_i64()?;
    let days = raw.try_get_i32()?;
    let months = raw.try_get_i32()?;
    Ok(Interval { micros, days, months })
}
