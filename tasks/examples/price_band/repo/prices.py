def with_tax(net, rate):
    return round(net * (1 + rate), 2)


def band(price):
    if price < 10:
        return "low"
    if price < 100:
        return "middle"
    return "high"
