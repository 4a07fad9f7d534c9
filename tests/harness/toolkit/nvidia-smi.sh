#!/bin/sh
# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# A stand-in for nvidia-smi on a machine with two NVIDIA L4.
first=GPU-5c0e4b7e-2d8a-9f3b-7c61-1f0f0c2a9d34
second=GPU-8f4d1c2a-6b3e-4d5f-9a7b-2c1e0d9f8a6b
# shellcheck disable=SC2016
value() {
    case "$1" in
        index) echo "$2" ;;
        uuid) [ "$2" = 0 ] && echo "$first" || echo "$second" ;;
        pci.bus_id) echo "00000000:0$(($2 + 1)):00.0" ;;
        name) echo "NVIDIA L4" ;;
        memory.total) echo 23034 ;;
        memory.free) echo 22569 ;;
        driver_version) echo "@DRIVER@" ;;
        compute_cap) echo 8.9 ;;
        display_active | persistence_mode) echo Disabled ;;
        *) echo "[N/A]" ;;
    esac
}
case "$1" in
    -L)
        echo "GPU 0: NVIDIA L4 (UUID: $first)"
        echo "GPU 1: NVIDIA L4 (UUID: $second)"
        ;;
    --query-gpu=*)
        for gpu in 0 1; do
            line=
            for field in $(echo "${1#*=}" | tr , ' '); do line="$line, $(value "$field" "$gpu")"; done
            echo "${line#, }"
        done
        ;;
    *) echo "| NVIDIA-SMI @DRIVER@      Driver Version: @DRIVER@      CUDA Version: 12.8 |" ;;
esac
