import xgboost


def model_fn(folder):
    return xgboost.Booster(model_file=f"{folder}/xgboost-model")
