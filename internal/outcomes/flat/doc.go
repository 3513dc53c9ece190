// Package flat writes outcomes as a table, for programs that analyse data: Apache Parquet, CSV, or JSON lines.
//
// [Rows] divides an outcome into rows, one for each effect; [Row] has the columns. [NewWriter] writes rows in a [Format], with bounded memory.
package flat
