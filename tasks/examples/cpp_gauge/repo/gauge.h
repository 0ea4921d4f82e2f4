#pragma once

int percent(int value, int full);
