// SPDX-License-Identifier: Apache-2.0

package main

import "github.com/spf13/cobra"

func newServeCommand() *cobra.Command { return &cobra.Command{Use: "serve", Hidden: true} }

func newDemoCommand() *cobra.Command { return &cobra.Command{Use: "demo", Hidden: true} }
