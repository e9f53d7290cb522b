// SPDX-License-Identifier: Apache-2.0

// Package translate turns what any tool sends into reports by a jq program, so
// that nothing need stand between the tool and Belfry.
//
// The flow: Input reads a body (JSON, a form, or JSON in a form's field) into
// one JSON value; a Program, compiled once from jq or one of the ready ones
// (Ready), is run on it within limits; what it puts out is checked key by key
// and becomes reports (output.go). A fault says which key of the output is
// wrong and which path of the payload was missing behind it (paths.go): the
// program's own paths are read from its syntax and looked up in the payload.
//
// The limits: a payload has at most MaxInput bytes and MaxDepth levels, a
// program MaxProgram bytes, what it puts out MaxOutputs values and MaxOutput
// bytes. A run ends after MaxTime, or when the process has grown by MaxMemory
// since it began. The last is a guard and no wall: gojq can't limit memory, so
// the heap is looked at every few milliseconds, and a single step of a program
// can take more before that. Programs come from the administrator; it is their
// slips this is for. They can read no files, environment or further input.
package translate
